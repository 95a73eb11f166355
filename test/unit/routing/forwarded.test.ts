import { SocketAddress } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { addressKey, addressText, parseAddress } from '../../../src/routing/address.ts';
import { CidrError, clientAddress, compileTrusted } from '../../../src/routing/forwarded.ts';

describe('parseAddress', () => {
  it('reads what addressText writes, and what the platform reads', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.ipV4()), (text) => {
        const address = parseAddress(text);
        if (address === undefined) return expect.fail(text);
        const canonical = addressText(address);
        expect(parseAddress(canonical)).to.deep.equal(address);
        const family = text.includes(':') ? 'ipv6' : 'ipv4';
        const platform = new SocketAddress({ address: text, family }).address;
        // The platform writes the deprecated `::1.2.3.4` with dots and keeps IPv4-mapped addresses.
        if (!platform.startsWith('::') || !platform.includes('.')) expect(canonical).to.equal(platform);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes an IPv4-mapped address for the IPv4 address', () => {
    for (const text of ['::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1']) {
      expect(addressText(parseAddress(text) ?? [0, 0, 0, 0])).to.equal('192.0.2.1');
    }
  });

  it('refuses what is no address', () => {
    const refused = [
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.256',
      '1.2.3.',
      '.1.2.3',
      '0x7f.0.0.1',
      '1.2.3.4 ',
      ':',
      ':::',
      '1:2:3:4:5:6:7',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      '::12345',
      '::g',
      '1:2:3:4:5:6:7:1.2.3.4',
      'fe80::1%eth0',
      '1:2:3:4:5:6:7::8',
      ':1::2',
      '::1:',
    ];
    for (const text of refused) expect(parseAddress(text), text).to.equal(undefined);
  });
});

describe('addressKey', () => {
  it('is the address, or the /64 of an IPv6 address', () => {
    expect(addressKey('192.0.2.1')).to.equal('192.0.2.1');
    expect(addressKey('::ffff:192.0.2.1')).to.equal('192.0.2.1');
    expect(addressKey('2001:DB8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64');
    expect(addressKey('2001:db8:1:2::9')).to.equal('2001:db8:1:2::/64');
  });
});

describe('compileTrusted', () => {
  it('finds addresses of overlapping blocks of both families', () => {
    const trusted = compileTrusted([
      '10.0.0.0/8',
      '10.1.0.0/16',
      '192.0.2.7',
      '2001:db8::/33',
      '172.16.5.9/12',
      '::1',
    ]);
    for (const text of [
      '10.255.0.1',
      '10.1.2.3',
      '::ffff:10.0.0.1',
      '192.0.2.7',
      '172.31.255.255',
      '2001:db8:7fff::1',
      '::1',
    ]) {
      expect(trusted.has(text), text).to.equal(true);
    }
    for (const text of [
      '11.0.0.0',
      '9.255.255.255',
      '192.0.2.8',
      '172.32.0.0',
      '2001:db8:8000::',
      '::2',
      'unknown',
      '',
    ]) {
      expect(trusted.has(text), text).to.equal(false);
    }
    expect(compileTrusted(['0.0.0.0/0']).has('203.0.113.9')).to.equal(true);
    expect(compileTrusted(['0.0.0.0/0']).has('2001:db8::1')).to.equal(false);
    expect(compileTrusted([]).isEmpty).to.equal(true);
  });

  it('agrees with the bits of every address', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (block, text, bits) => {
        const number = (ip: string): number =>
          ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        const size = 2 ** (32 - bits);
        const inside = Math.floor(number(block) / size) === Math.floor(number(text) / size);
        expect(compileTrusted([`${block}/${bits}`]).has(text)).to.equal(inside);
      }),
    );
  });

  it('refuses what is no block', () => {
    for (const block of [
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0/8',
      '::/129',
      'example.org',
      '',
    ]) {
      expect(() => compileTrusted([block]), block).to.throw(CidrError);
    }
  });
});

describe('clientAddress', () => {
  const trusted = compileTrusted(['10.0.0.0/8', '2001:db8::/32']);
  const client = (peer: string, ...values: string[]): string => clientAddress(peer, values, trusted);

  it('is the rightmost address that is not trusted', () => {
    expect(client('192.0.2.1', '203.0.113.1')).to.equal('192.0.2.1');
    expect(client('10.0.0.1', '1.1.1.1, 203.0.113.1, 10.0.0.2')).to.equal('203.0.113.1');
    expect(client('10.0.0.1', '1.1.1.1', '203.0.113.1 ,, 10.0.0.2,')).to.equal('203.0.113.1');
    expect(client('10.0.0.1', '10.0.0.3, 10.0.0.2')).to.equal('10.0.0.3');
    expect(client('::ffff:10.0.0.1', '[2001:DB9::1]:443, 10.9.9.9:80')).to.equal('2001:db9::1');
    expect(client('10.0.0.1')).to.equal('10.0.0.1');
  });

  it('stops at the hop that reported no address', () => {
    expect(client('10.0.0.1', '203.0.113.1, unknown, 10.0.0.2')).to.equal('10.0.0.2');
    expect(client('10.0.0.1', '203.0.113.1, _hidden')).to.equal('10.0.0.1');
  });
});
