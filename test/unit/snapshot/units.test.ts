import { expect } from 'chai';
import fc from 'fast-check';
import { parseDuration, parseSize } from '../../../src/snapshot/units.ts';

describe('parseDuration', () => {
  it('adds up what is written', () => {
    fc.assert(
      fc.property(
        fc.record({ h: fc.nat(399), m: fc.nat(9999), s: fc.nat(99_999), ms: fc.nat(9_999_999) }),
        ({ h, m, s, ms }) => {
          const total = h * 3_600_000 + m * 60_000 + s * 1000 + ms;
          expect(parseDuration(`${h}h${m}m${s}s${ms}ms`)).to.equal(total);
          // The longest duration that schemas let through still fits a timer (2^31 - 1 ms).
          expect(total).to.be.below(2 ** 31);
        },
      ),
    );
  });

  it('tells minutes from milliseconds', () => {
    expect(['5m', '5ms', '1m5ms', '1m30s', '0', '0s'].map(parseDuration)).to.deep.equal([
      300_000, 5, 60_005, 90_000, 0, 0,
    ]);
  });

  it('refuses what is no duration', () => {
    for (const text of ['', '5', '-1s', '1.5s', '1s1m', '1 s', '1d', 's', '99999999999999999999h']) {
      expect(() => parseDuration(text), text).to.throw(RangeError);
    }
  });
});

describe('parseSize', () => {
  it('counts in powers of 1024', () => {
    expect(['0', '512', '512B', '64KiB', '10MiB', '1GiB'].map(parseSize)).to.deep.equal([
      0, 512, 512, 65_536, 10_485_760, 1_073_741_824,
    ]);
  });

  it('refuses what is no size', () => {
    for (const text of ['', '1KB', '1k', '-1', '1.5MiB', '1 MiB', '99999999999999999GiB']) {
      expect(() => parseSize(text), text).to.throw(RangeError);
    }
  });
});
