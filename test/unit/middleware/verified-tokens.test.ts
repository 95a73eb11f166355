import { expect } from 'chai';
import fc from 'fast-check';
import { createVerifiedTokens } from '../../../src/middleware/jwt/verified-tokens.ts';

describe('createVerifiedTokens', () => {
  it('never gives one field the verdict on another, and keeps within its bounds', () => {
    const step = fc.record({
      field: fc.integer({ min: 0, max: 40 }).map((n) => `Bearer ${'x'.repeat(n % 3)}${n}`),
      verb: fc.constantFrom('get' as const, 'set' as const, 'delete' as const),
      bytes: fc.integer({ min: 0, max: 300 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limits = { entries: 10, bytes: 1000 };
        const tokens = createVerifiedTokens<string>(limits);
        const latest = new Map<string, { readonly verdict: string; readonly bytes: number }>();
        steps.forEach(({ field, verb, bytes }, i) => {
          if (verb === 'delete') {
            tokens.delete(field);
            latest.delete(field);
          } else if (verb === 'set') {
            const verdict = `${field} ${i}`;
            tokens.set(field, verdict, bytes);
            latest.set(field, { verdict, bytes: bytes + field.length });
            expect(tokens.get(field), 'what was just put in is there').to.equal(verdict);
          } else {
            expect(tokens.get(field)).to.be.oneOf([undefined, latest.get(field)?.verdict]);
          }
          expect(tokens.size).to.be.at.most(limits.entries);
        });
        const kept = [...latest].filter(([field]) => tokens.get(field) !== undefined);
        expect(kept.reduce((sum, [, { bytes }]) => sum + bytes, 0)).to.be.at.most(limits.bytes);
        tokens.clear();
        expect(tokens.size).to.equal(0);
      }),
    );
  });

  it('keeps what is in use while others come and go', () => {
    const tokens = createVerifiedTokens<number>({ entries: 100, bytes: 1e6 });
    tokens.set('used', 1, 10);
    for (let i = 0; i < 1000; i++) {
      tokens.set(`passing ${i}`, 0, 10);
      expect(tokens.get('used')).to.equal(1);
    }
    expect(tokens.get('passing 0')).to.equal(undefined);
  });
});
