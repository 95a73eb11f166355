/** A turn that prepares is no longer than this, so that with the rest of a turn it stays under 10 ms. */
export const sliceMs = 3;

/**
 * Cuts long work into slices, so that no turn of a worker's loop lasts longer than requests can bear. Awaiting is only
 * done when the slice is used up.
 */
export class Slices {
  private readonly budgetMs: number;
  private readonly clock: () => number;
  private startedAt: number;

  /** `clock`: monotonic milliseconds. */
  constructor(budgetMs: number, clock: () => number) {
    this.budgetMs = budgetMs;
    this.clock = clock;
    this.startedAt = clock();
  }

  get spent(): boolean {
    return this.clock() - this.startedAt >= this.budgetMs;
  }

  /** Lets requests through; then a new slice begins. */
  async turn(): Promise<void> {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    this.startedAt = this.clock();
  }
}
