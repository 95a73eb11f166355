import { expect } from 'chai';
import fc from 'fast-check';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type {
  Exchange,
  LocalReply,
  Middleware,
  MiddlewareDefinition,
} from '../../../src/middleware/contract.ts';
import { createBucketStore } from '../../../src/middleware/rate-limit/bucket-store.ts';
import { networkOf } from '../../../src/middleware/rate-limit/limit-key.ts';
import { createRateLimit } from '../../../src/middleware/rate-limit/rate-limit.ts';
import type { RateLimitConfig } from '../../../src/middleware/rate-limit/rate-limit.ts';
import { rateOf } from '../../../src/middleware/rate-limit/rate.ts';
import {
  initSlab,
  maxKeys,
  readLimiterStats,
  sets,
  slabBytes,
} from '../../../src/middleware/rate-limit/slab.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';
import { contextOf, exchangeOf, problemsOf } from './exchange.ts';

function memoryOf(requests: number, perMs: number, burst: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(slabBytes);
  initSlab(memory, rateOf(requests, perMs, burst));
  return memory;
}

const limits = fc.record({
  requests: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000_000 })),
  perMs: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 24 * 3_600_000 })),
  burst: fc.integer({ min: 1, max: 30 }),
});

describe('createBucketStore', () => {
  it('gives never more than the capacity and rate × time over any window, and exactly that when asked often', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(limits, steps, ({ requests, perMs, burst }, gaps) => {
        const store = createBucketStore(memoryOf(requests, perMs, burst));
        // Exact arithmetic in whole numbers: level in (token × period), one token = period.
        const period = BigInt(perMs) * 1000n;
        const capacity = BigInt(burst) * period;
        let level = capacity;
        let time = 5_000_000;
        for (const gap of gaps) {
          time += gap;
          level += BigInt(gap) * BigInt(requests);
          if (level > capacity) level = capacity;
          const isThere = level >= period;
          if (isThere) level -= period;
          expect(store.take('k', time) >= 0).to.equal(isThere);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is full again after exactly the time that its tokens take, however large the numbers', () => {
    const large = fc.record({
      requests: fc.integer({ min: 1, max: 1_000_000_000 }),
      perMs: fc.integer({ min: 1, max: 3_600_000 }),
      burst: fc.integer({ min: 1, max: 1_000_000_000 }),
    });
    fc.assert(
      fc.property(large, ({ requests, perMs, burst }) => {
        const rate = rateOf(requests, perMs, burst);
        expect(rate.capacity).to.be.at.most(2 ** 52);
        const store = createBucketStore(memoryOf(requests, perMs, burst));
        const full = rate.capacity - rate.partsPerToken;
        expect(store.take('k', 0)).to.equal(full);
        const wait = Math.ceil(rate.partsPerToken / rate.partsPerUnit) * rate.unitMicros;
        expect(store.peek('k', wait)).to.equal(full);
        if (wait > rate.unitMicros) expect(store.peek('k', wait - rate.unitMicros)).to.be.lessThan(full);
        expect(store.peek('k', 1e15)).to.equal(full);
      }),
    );
  });

  it('takes time that goes back for no time', () => {
    const store = createBucketStore(memoryOf(1, 1000, 2));
    expect(store.take('k', 10_000_000)).to.be.at.least(0);
    expect(store.take('k', 9_000_000)).to.be.at.least(0);
    expect(store.take('k', 9_999_999)).to.be.lessThan(0);
    expect(store.take('k', 10_999_999)).to.be.lessThan(0);
    expect(store.take('k', 11_000_000)).to.be.at.least(0);
  });

  it('never grows, counts what it forgets, and forgets full buckets first', () => {
    const memory = memoryOf(1, 1000, 5);
    const store = createBucketStore(memory);
    for (let i = 0; i < 5; i++) store.take('victim', 0);
    for (let i = 0; i < 200_000; i++) store.take(`key ${i}`, 0);
    const { keys, evictions } = readLimiterStats(memory);
    expect(keys).to.equal(maxKeys);
    expect(evictions).to.equal(200_001 - maxKeys);
    expect(store.take('victim', 0), 'emptier than all others, so it stays').to.be.lessThan(0);
    for (let i = 0; i < 100_000; i++) store.take(`later ${i}`, 60_000_000);
    expect(
      readLimiterStats(memory).evictions - evictions,
      'only buckets not yet full again count',
    ).to.be.lessThan(50_000);
    expect(slabBytes).to.be.lessThan(2 * 1024 * 1024);
  }).timeout(20_000);

  it('keeps each bucket its share when the rate changes, also in a store of another thread', () => {
    const memory = memoryOf(100, 60_000, 100);
    const [store, other] = [createBucketStore(memory), createBucketStore(memory)];
    for (let i = 0; i < 50; i++) store.take('half', 0);
    for (let i = 0; i < 100; i++) store.take('empty', 0);
    store.rescale(rateOf(1000, 60_000, 1000), 0);
    let half = 0;
    while (other.take('half', 0) >= 0) half++;
    expect(half).to.equal(500);
    expect(other.take('empty', 0)).to.be.lessThan(0);
    let fresh = 0;
    while (other.take('new', 0) >= 0) fresh++;
    expect(fresh).to.equal(1000);
    store.rescale(rateOf(7, 1000, 10), 0);
    expect(other.take('half', 0)).to.be.lessThan(0);
  });

  it('admits exactly the limit over several threads, for each key', async () => {
    const memory = memoryOf(1, 3_600_000, 1000);
    const start = new SharedArrayBuffer(4);
    const workers = [0, 1, 2].map(
      () =>
        new Worker(new URL('./fixtures/take-tokens.ts', import.meta.url), {
          workerData: { memory, start, attempts: 60_000, keys: 3 },
        }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const results = Promise.all(
      workers.map(async (worker) => (await once(worker, 'message'))[0] as number[]),
    );
    Atomics.store(new Int32Array(start), 0, 1);
    Atomics.notify(new Int32Array(start), 0);
    const admitted = await results;
    await Promise.all(workers.map((worker) => worker.terminate()));
    const totals = [0, 1, 2].map((key) => admitted.reduce((sum, counts) => sum + (counts[key] ?? 0), 0));
    expect(totals).to.deep.equal([1000, 1000, 1000]);
  });

  it('goes on when a thread died holding a lock', () => {
    const memory = memoryOf(1, 1000, 1);
    const store = createBucketStore(memory);
    store.take('k', 0);
    const locks = new Int32Array(memory, 128, 2 * sets);
    for (let set = 0; set < sets; set++) Atomics.store(locks, 2 * set, 0x7ffffff0);
    expect(store.take('k', 0)).to.be.lessThan(0);
    expect([...locks].filter((cell, i) => i % 2 === 0 && cell === 0)).to.have.lengthOf(1);
  });
});

describe('rateLimit', () => {
  let micros = 0;
  const definition: MiddlewareDefinition<RateLimitConfig> = createRateLimit(() => micros);
  const shared = definition.shared as NonNullable<typeof definition.shared>;

  const build = (config: RateLimitConfig, memory = freshFor(config)): Middleware =>
    definition.create(config, contextOf({ shared: memory })) as Middleware;
  const freshFor = (config: RateLimitConfig): SharedArrayBuffer => {
    const memory = new SharedArrayBuffer(shared.bytes(config));
    shared.init(memory, config);
    return memory;
  };
  const ask = (middleware: Middleware, exchange: Exchange): LocalReply | undefined =>
    middleware.request?.(exchange) as LocalReply | undefined;
  /** How many of a few requests pass. */
  const passing = (middleware: Middleware, exchange: () => Exchange, attempts = 20): number =>
    Array.from({ length: attempts }, () => ask(middleware, exchange())).filter((reply) => reply === undefined)
      .length;

  it('answers 429 with when to come back', () => {
    const limiter = build({ requests: 100, per: '1m', burst: 5 });
    expect(passing(limiter, exchangeOf)).to.equal(5);
    const reply = ask(limiter, exchangeOf());
    expect(reply).to.include({ status: 429, code: 'ERR_RATE_LIMITED', reason: 'rate_limited' });
    expect(reply?.headers).to.deep.equal([
      'Retry-After', '1', 'RateLimit-Policy', '"default";q=100;w=60', 'RateLimit', '"default";r=0;t=3',
    ]); // prettier-ignore
    const slow = build({ requests: 1, per: '1h' });
    passing(slow, exchangeOf);
    micros += 600_500_000;
    expect(ask(slow, exchangeOf())?.headers?.[1]).to.equal('3000');
    micros += 2_999_499_999;
    expect(ask(slow, exchangeOf())?.headers?.[1]).to.equal('1');
    micros += 1;
    expect(ask(slow, exchangeOf())).to.equal(undefined);
  });

  it('tells every answer how much is left only if asked to', async () => {
    const answer = async (config: RateLimitConfig): Promise<readonly string[]> => {
      const limiter = build(config);
      const exchange = exchangeOf();
      ask(limiter, exchange);
      const headers = new HeaderList();
      await limiter.response?.(exchange, { status: 200, headers });
      return headers.raw;
    };
    expect(await answer({ requests: 10, per: '1s' })).to.deep.equal([]);
    expect(await answer({ requests: 10, per: '1s', headers: 'Always' })).to.deep.equal([
      'RateLimit-Policy', '"default";q=10;w=1', 'RateLimit', '"default";r=9;t=1',
    ]); // prettier-ignore
  });

  it('counts by each kind of key', () => {
    const address = (clientAddress: string) => exchangeOf({ clientAddress });
    const one = (key: RateLimitConfig['key'], a: Exchange, b: Exchange): boolean => {
      const limiter = build({ requests: 1, per: '1h', ...(key && { key }) });
      ask(limiter, a);
      return ask(limiter, b) !== undefined;
    };
    expect(one(undefined, address('192.0.2.1'), address('192.0.2.1'))).to.equal(true);
    expect(one(undefined, address('192.0.2.1'), address('192.0.2.2'))).to.equal(false);
    expect(one(undefined, address('2001:db8::1'), address('2001:db8:0:0:ffff::2'))).to.equal(true);
    expect(one(undefined, address('2001:db8::1'), address('2001:db8:0:1::1'))).to.equal(false);
    const claim = [{ claim: 'sub' }];
    expect(one(claim, exchangeOf({ claims: { sub: 'a' } }), exchangeOf({ claims: { sub: 'a' } }))).to.equal(
      true,
    );
    expect(one(claim, exchangeOf({ claims: { sub: 'a' } }), exchangeOf({ claims: { sub: 'b' } }))).to.equal(
      false,
    );
    const cookie = [{ cookie: 'sid' }];
    const withCookie = (value: string) => exchangeOf({ headers: ['cookie', value] });
    expect(one(cookie, withCookie('a=1; sid=x'), withCookie('sid=x'))).to.equal(true);
    expect(one(cookie, withCookie('sid=x'), withCookie('xsid=x; sid=y'))).to.equal(false);
    const header = [{ header: 'X-Key' }];
    expect(
      one(header, exchangeOf({ headers: ['x-key', 'a'] }), exchangeOf({ headers: ['X-KEY', 'a'] })),
    ).to.equal(true);
    const route = [{ route: {} }];
    expect(one(route, exchangeOf({ route: 'a/b' }), exchangeOf({ route: 'a/c' }))).to.equal(false);
    const two = [{ header: 'a' }, { header: 'b' }];
    const pair = (a: string, b: string) => exchangeOf({ headers: ['a', a, 'b', b] });
    expect(one(two, pair('x', 'y'), pair('x', 'y'))).to.equal(true);
    expect(one(two, pair('x1:y', ''), pair('x', '1:y'))).to.equal(false);
  });

  it('rejects, falls back to the address or skips when a part of the key is missing', () => {
    const config: RateLimitConfig = { requests: 2, per: '1h', key: [{ header: 'x-key' }] };
    expect(ask(build(config), exchangeOf())).to.include({ status: 403, code: 'ERR_RATE_LIMIT_KEY' });
    expect(passing(build({ ...config, onMissingKey: 'Skip' }), exchangeOf)).to.equal(20);
    const limiter = build({ ...config, onMissingKey: 'Address' });
    expect(passing(limiter, exchangeOf)).to.equal(2);
    const forger = () => exchangeOf({ clientAddress: '192.0.2.9', headers: ['x-key', '192.0.2.1'] });
    expect(passing(limiter, forger), 'an address as a key is another bucket').to.equal(2);
  });

  it('takes nothing when asked dry, and says what it would do', async () => {
    const config: RateLimitConfig = { requests: 2, per: '1h' };
    const limiter = build(config);
    for (let i = 0; i < 5; i++) {
      expect(await limiter.decide(exchangeOf())).to.deep.equal({
        outcome: 'continue',
        notes: ['takes one of 2 tokens, by clientAddress'],
      });
    }
    expect(passing(limiter, exchangeOf)).to.equal(2);
    expect(await limiter.decide(exchangeOf())).to.include({ outcome: 'reply' });
    const withoutMemory = definition.create(config, contextOf()) as Middleware;
    expect(await withoutMemory.decide(exchangeOf())).to.include({ outcome: 'continue' });
    expect(() => withoutMemory.request?.(exchangeOf())).to.throw('no memory');
  });

  it('keeps its buckets when the limit stays, scales them when it changes, drops them with another key', () => {
    const config: RateLimitConfig = { requests: 10, per: '1h' };
    const memory = freshFor(config);
    const limiter = build(config, memory);
    expect(passing(limiter, exchangeOf, 5)).to.equal(5);
    expect(shared.change(memory, config, { ...config, headers: 'Always' })).to.equal('keep');
    expect(shared.change(memory, config, { requests: 10, per: '60m', burst: 10 })).to.equal('keep');
    const doubled = { ...config, burst: 20 };
    expect(shared.change(memory, config, doubled)).to.equal('scale');
    expect(passing(build(doubled, memory), exchangeOf)).to.equal(10);
    expect(shared.change(memory, doubled, { ...doubled, key: [{ route: {} }] })).to.equal('drop');
  });

  it('refuses periods that it cannot count', () => {
    expect(problemsOf('rateLimit', { requests: 1, per: '0' })).to.have.lengthOf(1);
    expect(problemsOf('rateLimit', { requests: 1, per: '25h' })).to.have.lengthOf(1);
    expect(problemsOf('rateLimit', { requests: 1, per: '1ms' })).to.deep.equal([]);
  });
});

describe('networkOf', () => {
  it('gives all spellings of an address in a /64 the same text, and others another one', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 8, maxLength: 8 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        (a, host) => {
          const text = (groups: readonly number[]): string => groups.map((g) => g.toString(16)).join(':');
          const sibling = [...a.slice(0, 4), ...host];
          const compressed = new URL(`http://[${text(sibling)}]/`).hostname.slice(1, -1);
          expect(networkOf(compressed)).to.equal(networkOf(text(a)));
          const other = a.map((g, i) => (i === 3 ? g ^ 1 : g));
          expect(networkOf(text(other))).to.not.equal(networkOf(text(a)));
        },
      ),
    );
    expect(networkOf('::1')).to.equal('0:0:0:0::/64');
    expect(networkOf('192.0.2.1')).to.equal('192.0.2.1');
  });
});
