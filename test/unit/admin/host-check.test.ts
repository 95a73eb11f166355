import { expect } from 'chai';
import { isAllowedHost } from '../../../src/admin/host-check.ts';
import { addressText, parseListenAddress } from '../../../src/admin/listen-address.ts';

describe('isAllowedHost', () => {
  const cases: readonly (readonly [header: string | undefined, bound: string, allowed: boolean])[] = [
    ['localhost:9901', '127.0.0.1', true],
    ['LOCALHOST', '127.0.0.1', true],
    ['127.0.0.1:9901', '127.0.0.1', true],
    ['127.1.2.3', '127.0.0.1', true],
    ['[::1]:9901', '127.0.0.1', true],
    ['10.1.2.3:9901', '10.1.2.3', true],
    ['admin.internal', 'admin.internal', true],
    ['10.1.2.3', '0.0.0.0', true],
    ['[fd00::1]:80', '::', true],
    ['10.1.2.3', '127.0.0.1', false],
    ['evil.example', '127.0.0.1', false],
    ['evil.example', '0.0.0.0', false],
    ['localhost.evil.example', '127.0.0.1', false],
    ['127.0.0.1.evil.example', '127.0.0.1', false],
    ['127.evil.example', '127.0.0.1', false],
    ['evil@localhost', '127.0.0.1', false],
    ['localhost:9901:1', '127.0.0.1', false],
    ['localhost:x', '127.0.0.1', false],
    ['[localhost]', '127.0.0.1', false],
    ['', '127.0.0.1', false],
    [undefined, '127.0.0.1', false],
  ];
  for (const [header, bound, allowed] of cases) {
    it(`${allowed ? 'lets' : 'does not let'} ${header ?? 'nothing'} pass on ${bound}`, () => {
      expect(isAllowedHost(header, bound)).to.equal(allowed);
    });
  }
});

describe('parseListenAddress', () => {
  it('reads what addressText writes', () => {
    for (const text of ['127.0.0.1:9901', '[::1]:0', 'localhost:65535']) {
      expect(addressText(parseListenAddress(text))).to.equal(text);
    }
    expect(parseListenAddress(':9901')).to.deep.equal({ host: '::', port: 9901 });
  });

  it('says what is wrong with anything else', () => {
    for (const text of ['', '9901', '127.0.0.1', 'h:65536', '::1:9901', '[h]:1', 'h:1 ', 'http://h:1']) {
      expect(() => parseListenAddress(text), text).to.throw(/^.*: not an? (IPv6 )?address/);
    }
  });
});
