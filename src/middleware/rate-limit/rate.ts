/**
 * A limit in whole numbers: levels are counted in parts of a token that are so small that each time unit brings back a
 * whole number of them. Sums and differences of such numbers are exact in a double below 2^53, so that nothing drifts,
 * however long a bucket lives.
 */
export interface Rate {
  /** Time is counted in these; one microsecond unless the numbers would become too large. */
  readonly unitMicros: number;
  /** Parts that come back in each time unit. */
  readonly partsPerUnit: number;
  readonly partsPerToken: number;
  /** Parts in a full bucket. */
  readonly capacity: number;
}

const largest = 2 ** 52;

/** `requests` tokens every `perMs`, at most `burst` of them saved up. */
export function rateOf(requests: number, perMs: number, burst: number): Rate {
  for (let unitMicros = 1; ; unitMicros *= 10) {
    // Never faster than asked for, where a unit does not divide the period (only beyond 75 minutes and 1e9 tokens).
    const period = Math.ceil((perMs * 1000) / unitMicros);
    const shared = greatestCommonDivisor(requests, period);
    const rate = { unitMicros, partsPerUnit: requests / shared, partsPerToken: period / shared };
    const capacity = burst * rate.partsPerToken;
    if (capacity + rate.partsPerUnit <= largest) return { ...rate, capacity };
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
