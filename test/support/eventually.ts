import { setTimeout as wait } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Give up after this long; default 10 s. */
  readonly withinMs?: number;
  /** Between two tries; default 20 ms. */
  readonly everyMs?: number;
}

/** Tries until `check` neither throws nor returns false, and returns what it returned; fails with its last error. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let reason: unknown = new Error('the condition stayed false');
    try {
      const value = await check();
      if (value !== false) return value as Exclude<T, false>;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) {
      throw new Error(
        `not within ${withinMs} ms: ${reason instanceof Error ? reason.message : String(reason)}`,
        {
          cause: reason,
        },
      );
    }
    await wait(everyMs);
  }
}
