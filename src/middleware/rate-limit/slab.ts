/**
 * The memory of one limiter, shared by all workers and of fixed size: sets of buckets, found by a keyed hash of the key.
 * The text of a key is never stored.
 *
 *   int32   0 hash key · 1 hash key · 2 epoch of the rate · 3 keys · 4 and 5 evictions (low, high)
 *   float64 two rates, that of epoch e at e & 1
 *   int32   for each set: lock, epoch of the rate that its levels are counted in
 *   int32   for each set: the low hash halves of its buckets, then the high ones; both 0: free
 *   float64 for each bucket: level, time of it
 */
import { randomFillSync } from 'node:crypto';
import type { Rate } from './rate.ts';

export const ways = 16;
export const sets = 4096;
/** Keys a limiter can hold apart: 65,536. */
export const maxKeys = ways * sets;

export const header = {
  hashKey0: 0,
  hashKey1: 1,
  epoch: 2,
  keys: 3,
  evictionsLow: 4,
  evictionsHigh: 5,
} as const;

const ratesAt = 64;
const rateFields = 4;
const setsAt = ratesAt + 2 * rateFields * 8;
const tagsAt = setsAt + sets * 2 * 4;
const bucketsAt = tagsAt + maxKeys * 2 * 4;

/** 1.6 MiB, whatever the limit and however many keys are seen. */
export const slabBytes = bucketsAt + maxKeys * 2 * 8;

/** The parts of a slab; each index counts elements of its view. */
export interface Slab {
  readonly header: Int32Array;
  /** [2 × set]: lock, [2 × set + 1]: epoch. */
  readonly sets: Int32Array;
  /** [2 × ways × set + way]: low half, + ways: high half. */
  readonly tags: Int32Array;
  /** [2 × bucket]: level, [2 × bucket + 1]: time units since the clock's start. */
  readonly buckets: Float64Array;
  readonly rates: Float64Array;
}

export function slabOf(memory: SharedArrayBuffer): Slab {
  if (memory.byteLength < slabBytes) throw new RangeError(`a limiter needs ${slabBytes} bytes`);
  return {
    header: new Int32Array(memory, 0, ratesAt / 4),
    rates: new Float64Array(memory, ratesAt, 2 * rateFields),
    sets: new Int32Array(memory, setsAt, sets * 2),
    tags: new Int32Array(memory, tagsAt, maxKeys * 2),
    buckets: new Float64Array(memory, bucketsAt, maxKeys * 2),
  };
}

/** Once, on zeroed memory. Touches only the first page, so that a limiter costs what it uses. */
export function initSlab(memory: SharedArrayBuffer, rate: Rate): void {
  const slab = slabOf(memory);
  const key = new Int32Array(2);
  randomFillSync(key);
  slab.header.set(key, header.hashKey0);
  writeRate(slab, 0, rate);
}

export function readRate({ rates }: Slab, epoch: number): Rate {
  const at = (epoch & 1) * rateFields;
  return {
    unitMicros: rates[at] as number,
    partsPerUnit: rates[at + 1] as number,
    partsPerToken: rates[at + 2] as number,
    capacity: rates[at + 3] as number,
  };
}

export function writeRate({ rates }: Slab, epoch: number, rate: Rate): void {
  const at = (epoch & 1) * rateFields;
  rates.set([rate.unitMicros, rate.partsPerUnit, rate.partsPerToken, rate.capacity], at);
}

export interface LimiterStats {
  /** Keys that have a bucket, full ones included until another key needs the place. */
  readonly keys: number;
  /** Buckets that were given to another key before they were full again. */
  readonly evictions: number;
}

/** For `rate_limit_keys` and `rate_limit_evictions_total`: reads a few cells, whoever writes meanwhile. */
export function readLimiterStats(memory: SharedArrayBuffer): LimiterStats {
  const cells = new Int32Array(memory, 0, ratesAt / 4);
  const high = Atomics.load(cells, header.evictionsHigh) >>> 0;
  return {
    keys: Atomics.load(cells, header.keys),
    evictions: high * 2 ** 32 + (Atomics.load(cells, header.evictionsLow) >>> 0),
  };
}
