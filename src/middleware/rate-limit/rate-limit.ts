import type {
  BuildContext,
  ConfigProblem,
  Decision,
  Exchange,
  LocalReply,
  Middleware,
  MiddlewareDefinition,
} from '../contract.ts';
import { durationMs } from '../duration.ts';
import { createBucketStore } from './bucket-store.ts';
import type { BucketStore } from './bucket-store.ts';
import { compileLimitKey, describeLimitKey } from './limit-key.ts';
import type { KeyPart, OnMissingKey } from './limit-key.ts';
import { rateOf } from './rate.ts';
import type { Rate } from './rate.ts';
import { initSlab, slabBytes } from './slab.ts';

/** The `rateLimit` block as validated by schemas/middlewares/rateLimit.json, defaults filled in. */
export interface RateLimitConfig {
  /** Tokens that come back in each `per`. */
  readonly requests: number;
  /** Duration. */
  readonly per: string;
  /** Capacity; absent: `requests`. */
  readonly burst?: number;
  readonly key?: readonly KeyPart[];
  readonly onMissingKey?: OnMissingKey;
  /** Which answers carry `RateLimit` and `RateLimit-Policy`. */
  readonly headers?: 'OnLimit' | 'Always';
}

/** Microseconds since a start that all threads have in common; never steps back. */
export type MonotonicMicros = () => number;

const longestMs = 24 * 3_600_000;

/**
 * `rateLimit`: a token bucket for each key, in memory that all workers share. A request takes one token or gets 429.
 */
export function createRateLimit(clock: MonotonicMicros): MiddlewareDefinition<RateLimitConfig> {
  return {
    type: 'rateLimit',
    guards: true,
    check,
    shared: {
      bytes: () => slabBytes,
      init: (memory, config) => initSlab(memory, rateFor(config)),
      change(memory, from, to) {
        if (JSON.stringify(keyOf(from)) !== JSON.stringify(keyOf(to))) return 'drop';
        const [before, after] = [rateFor(from), rateFor(to)];
        if (JSON.stringify(before) === JSON.stringify(after)) return 'keep';
        createBucketStore(memory).rescale(after, clock());
        return 'scale';
      },
    },
    create: (config, context) => createLimiter(config, context, clock),
  };
}

function check({ per }: RateLimitConfig): readonly ConfigProblem[] {
  const perMs = durationMs(per);
  if (perMs >= 1 && perMs <= longestMs) return [];
  return [{ path: 'per', message: `${per} is not between 1ms and 24h` }];
}

function keyOf({ key = [{ clientAddress: {} }] }: RateLimitConfig): readonly KeyPart[] {
  return key;
}

function rateFor({ requests, per, burst = requests }: RateLimitConfig): Rate {
  return rateOf(requests, durationMs(per), burst);
}

const keyMissing: LocalReply = {
  status: 403,
  code: 'ERR_RATE_LIMIT_KEY',
  detail: 'The request does not say whom to count it for.',
  reason: 'key_missing',
};

function createLimiter(config: RateLimitConfig, context: BuildContext, clock: MonotonicMicros): Middleware {
  const { onMissingKey = 'Reject', headers = 'OnLimit' } = config;
  const key = compileLimitKey(keyOf(config), onMissingKey);
  const isSkipping = onMissingKey === 'Skip';
  const store = context.shared === undefined ? undefined : createBucketStore(context.shared);
  const fields = rateFields(config);
  /** What the limiter said, until the answer comes back; only where all answers tell it. */
  const said = headers === 'Always' ? new WeakMap<Exchange, string>() : undefined;

  const limited = (rate: Rate, missing: number): LocalReply => {
    const retryAfter = Math.max(1, Math.ceil(secondsFor(rate, missing)));
    return {
      status: 429,
      code: 'ERR_RATE_LIMITED',
      detail: 'Too many requests.',
      reason: 'rate_limited',
      headers: [
        'Retry-After', String(retryAfter),
        'RateLimit-Policy', fields.policy,
        'RateLimit', fields.state(rate, rate.partsPerToken - missing),
      ], // prettier-ignore
    };
  };
  const judge = (exchange: Exchange, left: number, rate: Rate): LocalReply | undefined => {
    if (left < 0) return limited(rate, -left);
    said?.set(exchange, fields.state(rate, left));
    return undefined;
  };

  return {
    request(exchange) {
      // Only dry runs have no memory: to let requests pass unlimited would be to fail open.
      if (store === undefined) throw new Error(`the limiter ${context.name} has no memory`);
      const text = key(exchange);
      if (text === undefined) return isSkipping ? undefined : keyMissing;
      const left = store.take(text, clock());
      return left >= 0 && said === undefined ? undefined : judge(exchange, left, store.rate());
    },
    ...(said !== undefined && {
      response(exchange, { headers: fieldList }) {
        const state = said.get(exchange);
        if (state === undefined) return;
        fieldList.add('RateLimit-Policy', fields.policy);
        fieldList.add('RateLimit', state);
      },
    }),
    decide: (exchange) =>
      decide(key(exchange), isSkipping, store, clock, limited, describeLimitKey(keyOf(config))),
  };
}

function decide(
  text: string | undefined,
  isSkipping: boolean,
  store: BucketStore | undefined,
  clock: MonotonicMicros,
  limited: (rate: Rate, missing: number) => LocalReply,
  key: string,
): Decision {
  if (text === undefined) {
    if (isSkipping) return { outcome: 'continue', notes: [`is not limited: no ${key}`] };
    return { outcome: 'reply', reply: keyMissing, notes: [`refuses: no ${key}`] };
  }
  if (store === undefined) return { outcome: 'continue', notes: [`takes a token, by ${key}`] };
  const left = store.peek(text, clock());
  const rate = store.rate();
  if (left < 0)
    return { outcome: 'reply', reply: limited(rate, -left), notes: [`refuses: no token left, by ${key}`] };
  const tokens = Math.floor(left / rate.partsPerToken) + 1;
  return { outcome: 'continue', notes: [`takes one of ${tokens} tokens, by ${key}`] };
}

/** Seconds in which so many parts come back. */
function secondsFor({ partsPerUnit, unitMicros }: Rate, parts: number): number {
  return ((parts / partsPerUnit) * unitMicros) / 1e6;
}

/** `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10): `t` is when the bucket is full again. */
function rateFields({ requests, per }: RateLimitConfig): {
  readonly policy: string;
  readonly state: (rate: Rate, level: number) => string;
} {
  const seconds = durationMs(per) / 1000;
  return {
    // The window is a whole number of seconds there, or not said.
    policy: `"default";q=${requests}${Number.isInteger(seconds) ? `;w=${seconds}` : ''}`,
    state: (rate, level) =>
      `"default";r=${Math.floor(level / rate.partsPerToken)};t=${Math.ceil(secondsFor(rate, rate.capacity - level))}`,
  };
}
