export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A life at least this long forgets earlier failures. */
  readonly stableMs: number;
}

/** How long to wait before the next start of what keeps dying: doubling, and forgiving what lived long enough. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Milliseconds to wait after a life of `livedMs`. */
  next(livedMs: number): number {
    const { firstMs, maxMs, stableMs } = this.#options;
    if (livedMs >= stableMs) this.#failures = 0;
    const delay = Math.min(maxMs, firstMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return delay;
  }
}
