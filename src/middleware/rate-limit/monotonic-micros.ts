/**
 * The machine's monotonic clock in microseconds. `process.hrtime` has the same start in every thread; `performance.now` need
 * not have it, and `Date.now` steps when the clock is set. Exact in a double for 285 years.
 */
export function monotonicMicros(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanos / 1000);
}
