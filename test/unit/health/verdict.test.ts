import { expect } from 'chai';
import fc from 'fast-check';
import { judge, newVerdict } from '../../../src/health/verdict.ts';
import type { Verdict } from '../../../src/health/verdict.ts';

const after = (results: readonly boolean[], thresholds: { healthy: number; unhealthy: number }): Verdict =>
  results.reduce<Verdict>((verdict, good) => judge(verdict, good, thresholds), newVerdict);

describe('judge', () => {
  it('starts healthy and lets the first result decide alone', () => {
    const thresholds = { healthy: 3, unhealthy: 3 };
    expect(newVerdict.healthy).to.equal(true);
    expect(after([false], thresholds).healthy).to.equal(false);
    expect(after([false, true], thresholds).healthy).to.equal(false);
    expect(after([true, false], thresholds).healthy).to.equal(true);
  });

  it('changes only after as many results in a row as its threshold says', () => {
    const thresholds = fc.record({
      healthy: fc.integer({ min: 1, max: 4 }),
      unhealthy: fc.integer({ min: 1, max: 4 }),
    });
    const property = fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
      thresholds,
      (results, limits) => {
        // Told the plain way: look back over the results.
        let healthy = results[0] as boolean;
        let since = 1;
        for (let i = 1; i < results.length; i++) {
          const needed = healthy ? limits.unhealthy : limits.healthy;
          const last = results.slice(Math.max(since, i + 1 - needed), i + 1);
          if (last.length === needed && last.every((good) => good !== healthy)) {
            healthy = !healthy;
            since = i + 1;
          }
        }
        expect(after(results, limits).healthy).to.equal(healthy);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});
