import { durationBuckets } from './duration-buckets.ts';
import type { Cell } from './slab-allocator.ts';

/** One writer per slab (its worker), so that plain additions are enough; main only reads. */
export function addTo(cell: Cell, amount: number): void {
  cell.values[cell.slot] = (cell.values[cell.slot] as number) + amount;
}

/** Counts `seconds` into a histogram laid out as in duration-buckets.ts. */
export function observeInto(cell: Cell, seconds: number): void {
  const values = cell.values;
  const time = seconds > 0 ? seconds : 0;
  let bucket = 0;
  while (bucket < durationBuckets.length && time > (durationBuckets[bucket] as number)) bucket += 1;
  const slot = cell.slot + bucket;
  values[slot] = (values[slot] as number) + 1;
  const sum = cell.slot + durationBuckets.length + 1;
  values[sum] = (values[sum] as number) + time;
}

/** A status code as counted: 0 stands for no answer and for what is no status code. */
export function countedCode(code: number): number {
  return code >= 100 && code <= 999 ? Math.trunc(code) : 0;
}
