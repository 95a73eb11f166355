/** A turn that works on tables takes this long, and what the collector takes; longer only where turns are rare. */
const shortestMs = 1;
const longestMs = 3;
/** Of the time between two rests: what work gets at least, so that it ends however busy the loop is. */
const leastShare = 1 / 3;

/** How work on tables shares the loop with traffic. */
export interface Pace {
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Resolves when traffic has had its turns. */
  readonly rest: () => Promise<void>;
}

/**
 * For a worker that serves: a request that came in during a slice is not only read in the rest that follows, but mostly
 * answered, and waits for no second slice. A millisecond is what a local upstream takes and what timers can tell.
 */
export function restForTraffic(): Promise<void> {
  // A timer counts from when its turn began: set in the turn of the slice, it would be over with it.
  return new Promise((resolve) => setImmediate(() => setTimeout(resolve, 1)));
}

/** For a worker that serves nothing yet: signs of life and messages get through. */
export function restForMessages(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Cuts long work into slices, so that no turn of a worker's loop lasts longer than requests can bear. */
export class Slices {
  private readonly pace: Pace;
  private budgetMs = shortestMs;
  private startedAt: number;

  constructor(pace: Pace) {
    this.pace = pace;
    this.startedAt = pace.clock();
  }

  get spent(): boolean {
    return this.pace.clock() - this.startedAt >= this.budgetMs;
  }

  /** Lets requests through; then a new slice begins. To be awaited only when the last is spent. */
  async turn(): Promise<void> {
    const { clock, rest } = this.pace;
    const began = clock();
    await rest();
    this.startedAt = clock();
    const restedMs = this.startedAt - began;
    this.budgetMs = Math.min(longestMs, Math.max(shortestMs, (restedMs * leastShare) / (1 - leastShare)));
  }
}
