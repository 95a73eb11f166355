import { expect } from 'chai';
import { parseHost, parseHostname } from '../../../src/routing/host.ts';

describe('parseHost', () => {
  it('gives each host its one form', () => {
    const hosts: Record<string, string> = {
      'example.org': 'example.org',
      'Example.ORG.:8080': 'example.org',
      'example.org:': 'example.org',
      'a_b-c.d': 'a_b-c.d',
      '192.0.2.1:80': '192.0.2.1',
      '[2001:DB8:0:0::1]:443': '[2001:db8::1]',
      '[::1]': '[::1]',
      '[::ffff:192.0.2.1]': '192.0.2.1',
      '': '',
    };
    for (const [authority, host] of Object.entries(hosts))
      expect(parseHost(authority), authority).to.equal(host);
  });

  it('refuses what others may read in another way', () => {
    const refused = [
      'user@admin.test',
      'a..b',
      '.a',
      'a.test..',
      '.',
      ':80',
      'a:b',
      'a:80:80',
      'a:65536',
      'a:-1',
      'a:+80',
      'a b',
      'a/b',
      'a\\b',
      'a%2eb',
      'a,b',
      'a#b',
      'a?b',
      '\u00e4.test',
      '[::1',
      '[::1]x',
      '[::1]:x',
      '[::1%25eth0]',
      '[1.2.3.4]',
      '[:::]',
      '[1::2::3]',
      '::1',
      'a\u0000',
      `${'a'.repeat(254)}`,
    ];
    for (const authority of refused) expect(parseHost(authority), authority).to.equal(undefined);
  });
});

describe('parseHostname', () => {
  it('keeps the wildcard in front and refuses it elsewhere', () => {
    expect(parseHostname('*.Example.org')).to.equal('*.example.org');
    expect(parseHostname('[0::1]')).to.equal('[::1]');
    for (const hostname of ['*', '*.', 'a.*.b', '**.a', '*.[::1]', 'a:80']) {
      expect(parseHostname(hostname), hostname).to.equal(undefined);
    }
  });
});
