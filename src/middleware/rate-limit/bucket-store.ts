import { createKeyedHash } from './keyed-hash.ts';
import type { Rate } from './rate.ts';
import { lock, unlock } from './set-lock.ts';
import { header, readRate, sets, slabOf, ways, writeRate } from './slab.ts';
import type { Slab } from './slab.ts';

/** One thread's access to a limiter's buckets. Times are microseconds of a clock common to all threads. */
export interface BucketStore {
  /**
   * Takes a token from the bucket of `key`. At least 0: it was there, and so many parts of tokens are left. Below 0: it was
   * not, nothing was taken, and so many parts are missing.
   */
  take(key: string, nowMicros: number): number;
  /** What `take` would say, without taking anything. */
  peek(key: string, nowMicros: number): number;
  /** The rate in force; what `take` returns is counted in it. */
  rate(): Rate;
  /** Another rate: levels keep their share of the capacity. */
  rescale(rate: Rate, nowMicros: number): void;
}

export function createBucketStore(memory: SharedArrayBuffer): BucketStore {
  const slab = slabOf(memory);
  const hash = createKeyedHash(
    slab.header[header.hashKey0] as number,
    slab.header[header.hashKey1] as number,
  );
  // Tickets tell acquisitions apart; threads start at different places by chance.
  let ticket = Math.floor(Math.random() * 0x7fffffff);
  let epoch = Atomics.load(slab.header, header.epoch);
  let rate = readRate(slab, epoch);

  const nextTicket = (): number => {
    ticket = (ticket + 1) & 0x7fffffff;
    return ticket === 0 ? ++ticket : ticket;
  };
  /** Brings the rate up to date; with the set locked, its levels too. */
  const follow = (set: number, nowMicros: number): void => {
    const current = Atomics.load(slab.header, header.epoch);
    if (current !== epoch) {
      epoch = current;
      rate = readRate(slab, epoch);
    }
    if (slab.sets[2 * set + 1] !== epoch) {
      rescaleSet(slab, set, readRate(slab, epoch - 1), rate, nowMicros);
      slab.sets[2 * set + 1] = epoch;
    }
  };

  const followAll = (nowMicros: number): void => {
    for (let set = 0; set < sets; set++) {
      const mine = nextTicket();
      lock(slab.sets, 2 * set, mine);
      follow(set, nowMicros);
      unlock(slab.sets, 2 * set, mine);
    }
  };

  return {
    take(key, nowMicros) {
      hash.update(key);
      const low = hash.low === 0 && hash.high === 0 ? 1 : hash.low;
      const set = (hash.high >>> 0) % sets;
      const mine = nextTicket();
      lock(slab.sets, 2 * set, mine);
      follow(set, nowMicros);
      const left = takeFrom(slab, set, low, hash.high, rate, Math.floor(nowMicros / rate.unitMicros));
      unlock(slab.sets, 2 * set, mine);
      return left;
    },
    peek(key, nowMicros) {
      hash.update(key);
      const low = hash.low === 0 && hash.high === 0 ? 1 : hash.low;
      const set = (hash.high >>> 0) % sets;
      const mine = nextTicket();
      lock(slab.sets, 2 * set, mine);
      follow(set, nowMicros);
      const bucket = find(slab, set, low, hash.high);
      const now = Math.floor(nowMicros / rate.unitMicros);
      const level = bucket < 0 ? rate.capacity : levelAt(slab, bucket, rate, now);
      unlock(slab.sets, 2 * set, mine);
      return level - rate.partsPerToken;
    },
    rate() {
      const current = Atomics.load(slab.header, header.epoch);
      return current === epoch ? rate : readRate(slab, current);
    },
    rescale(next, nowMicros) {
      // No set may be more than one rate behind; where no key was ever seen there is nothing to convert.
      const isUsed = Atomics.load(slab.header, header.keys) > 0;
      if (isUsed) followAll(nowMicros);
      const following = Atomics.load(slab.header, header.epoch) + 1;
      writeRate(slab, following, next);
      Atomics.store(slab.header, header.epoch, following);
      if (isUsed) followAll(nowMicros);
    },
  };
}

/** Index of the bucket, or -1. */
function find({ tags }: Slab, set: number, low: number, high: number): number {
  const first = 2 * ways * set;
  for (let at = first; at < first + ways; at++) {
    if (tags[at] === low && tags[at + ways] === high) return ways * set + at - first;
  }
  return -1;
}

/** The level at this time; time that seems to go back (threads read the clock before they get the lock) brings nothing. */
function levelAt({ buckets }: Slab, bucket: number, rate: Rate, now: number): number {
  const level = buckets[2 * bucket] as number;
  const elapsed = now - (buckets[2 * bucket + 1] as number);
  if (elapsed <= 0) return level;
  // Compared by division first: the product may be too large to be exact.
  if (elapsed > (rate.capacity - level) / rate.partsPerUnit) return rate.capacity;
  return Math.min(rate.capacity, level + elapsed * rate.partsPerUnit);
}

function takeFrom(slab: Slab, set: number, low: number, high: number, rate: Rate, now: number): number {
  const { buckets } = slab;
  let bucket = find(slab, set, low, high);
  if (bucket < 0) {
    bucket = claim(slab, set, rate, now);
    // A thread that dies between these lines leaves the new key with the old bucket's level: never with more.
    slab.tags[2 * ways * set + (bucket % ways)] = low;
    slab.tags[2 * ways * set + ways + (bucket % ways)] = high;
    buckets[2 * bucket + 1] = now;
    buckets[2 * bucket] = rate.capacity;
  }
  const level = levelAt(slab, bucket, rate, now);
  const left = level - rate.partsPerToken;
  if (left < 0) return left;
  // Time first: a thread that dies in between has lost a refill rather than given it twice.
  if (now > (buckets[2 * bucket + 1] as number)) buckets[2 * bucket + 1] = now;
  buckets[2 * bucket] = left;
  return left;
}

/** A free bucket, else a full one, which is as good as free, else the fullest: its key loses least, and is counted. */
function claim({ header: cells, tags, buckets }: Slab, set: number, rate: Rate, now: number): number {
  const first = 2 * ways * set;
  let fullest = 0;
  let level = -1;
  for (let way = 0; way < ways; way++) {
    if (tags[first + way] === 0 && tags[first + ways + way] === 0) {
      Atomics.add(cells, header.keys, 1);
      return ways * set + way;
    }
    const bucket = ways * set + way;
    const elapsed = Math.max(0, now - (buckets[2 * bucket + 1] as number));
    const there = (buckets[2 * bucket] as number) + elapsed * rate.partsPerUnit;
    if (there > level) {
      fullest = bucket;
      level = there;
    }
  }
  if (level < rate.capacity && Atomics.add(cells, header.evictionsLow, 1) === -1) {
    Atomics.add(cells, header.evictionsHigh, 1);
  }
  return fullest;
}

function rescaleSet(slab: Slab, set: number, from: Rate, to: Rate, nowMicros: number): void {
  const [before, now] = [from, to].map(({ unitMicros }) => Math.floor(nowMicros / unitMicros)) as [
    number,
    number,
  ];
  for (let bucket = ways * set; bucket < ways * (set + 1); bucket++) {
    const at = 2 * ways * set + (bucket % ways);
    if (slab.tags[at] === 0 && slab.tags[at + ways] === 0) continue;
    const level = levelAt(slab, bucket, from, before);
    const scaled = level >= from.capacity ? to.capacity : Math.floor((level / from.capacity) * to.capacity);
    slab.buckets[2 * bucket + 1] = now;
    slab.buckets[2 * bucket] = scaled;
  }
}
