import { expect } from 'chai';
import { setForwardingHeaders } from '../../../src/routing/forwarding-headers.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';

describe('setForwardingHeaders', () => {
  it('replaces every claim of an untrusted client, in any spelling an upstream might believe', () => {
    const headers = list({
      'X-Forwarded-For': '1.2.3.4',
      'x-forwarded-proto': 'https',
      'X-Forwarded-Host': 'evil.test',
      'X-Forwarded-Prefix': '/admin',
      X_Forwarded_For: '5.6.7.8',
      'X-Real-IP': '1.2.3.4',
      'X-Original-URL': '/admin',
      x_rewrite_url: '/admin',
      Proxy: 'http://evil.test',
      Forwarded: 'for=1.2.3.4',
      'x-for-me': 'stays',
      Proxy2: 'stays',
    });
    setForwardingHeaders(headers, {
      peer: '10.1.1.1',
      trusted: false,
      scheme: 'http',
      authority: 'a.test:80',
    });
    expect(headers.raw).to.deep.equal([
      ...['x-for-me', 'stays', 'Proxy2', 'stays'],
      ...['x-forwarded-for', '10.1.1.1'],
      ...['x-forwarded-proto', 'http'],
      ...['x-forwarded-host', 'a.test:80'],
      ...['forwarded', 'for=10.1.1.1;host="a.test:80";proto=http'],
    ]);
  });

  it('adds itself to what a trusted hop says and keeps its scheme and host', () => {
    const headers = list({
      'X-Forwarded-For': '1.2.3.4',
      'x-forwarded-proto': 'https',
      'X-Forwarded-Host': 'api.test',
      Forwarded: 'for=1.2.3.4',
      // Proxies do not write them so: they come from the client.
      X_Forwarded_For: '5.6.7.8',
      'X-Forwarded_Proto': 'gopher',
      'X-Real_IP': '5.6.7.8',
      'X-Original_URL': '/admin',
      'X-Rewrite-URL': '/rewritten',
      proxy: 'http://evil.test',
    });
    headers.add('x-forwarded-for', '10.9.9.9');
    setForwardingHeaders(headers, {
      peer: '2001:db8::1',
      trusted: true,
      scheme: 'http',
      authority: 'in.test',
    });
    expect(headers.getAll('x-forwarded-for')).to.deep.equal(['1.2.3.4, 10.9.9.9, 2001:db8::1']);
    expect(headers.getAll('x-forwarded-proto')).to.deep.equal(['https']);
    expect(headers.getAll('x-forwarded-host')).to.deep.equal(['api.test']);
    expect(headers.getAll('x-rewrite-url')).to.deep.equal(['/rewritten']);
    expect(headers.getAll('proxy')).to.deep.equal([]);
    expect(headers.raw.filter((name) => name.includes('_'))).to.deep.equal([]);
    expect(headers.getAll('forwarded')).to.deep.equal([
      'for=1.2.3.4, for="[2001:db8::1]";host="in.test";proto=http',
    ]);
  });
});

function list(fields: Readonly<Record<string, string>>): HeaderList {
  return new HeaderList(Object.entries(fields).flat());
}
