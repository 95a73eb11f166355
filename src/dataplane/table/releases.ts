import type { Generation } from '../proxy/generation.ts';
import { sliceMs, Slices } from './slices.ts';

/** Something that a generation held and its successor does not. */
export interface Release {
  /** The first generation that held it. */
  readonly since: number;
  /** Gives it back; cannot fail. */
  readonly run: () => void;
}

interface Waiting extends Release {
  /** The last generation that held it. */
  readonly last: number;
}

/**
 * Gives back what old generations held: each thing when no exchange is left that could use it, that is when every
 * generation from the first to the last that held it has ended. A tunnel that stays open for days holds what was there
 * when it was opened, and nothing that came and went since.
 */
export class Releases {
  private readonly clock: () => number;
  /** Retired generations with exchanges, ascending. */
  private readonly active: number[] = [];
  /** By the active generation that is waited for. */
  private readonly waiting = new Map<number, Waiting[]>();
  private due: Waiting[] = [];
  private releasing = false;

  /** `clock`: monotonic milliseconds. */
  constructor(clock: () => number) {
    this.clock = clock;
  }

  /** `generation` has a successor, which lacks what `releases` give back. Generations come in ascending order. */
  retire(generation: Generation, releases: readonly Release[]): void {
    const last = generation.number;
    this.active.push(last);
    this.waiting.set(
      last,
      releases.map(({ since, run }) => ({ since, run, last })),
    );
    generation.retire(() => this.ended(last));
  }

  private ended(number: number): void {
    this.active.splice(this.indexFrom(number), 1);
    for (const release of this.waiting.get(number) ?? []) {
      const other = this.active[this.indexFrom(release.since)];
      if (other !== undefined && other <= release.last) this.waiting.get(other)?.push(release);
      else this.due.push(release);
    }
    this.waiting.delete(number);
    if (this.releasing || this.due.length === 0) return;
    this.releasing = true;
    void this.release();
  }

  /** Place of the first active generation that is `number` or later. */
  private indexFrom(number: number): number {
    let low = 0;
    let high = this.active.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.active[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Thousands of routes may have gone at once, and traffic goes on beside. */
  private async release(): Promise<void> {
    const slices = new Slices(sliceMs, this.clock);
    while (this.due.length > 0) {
      const { due } = this;
      this.due = [];
      for (const { run } of due) {
        if (slices.spent) await slices.turn();
        run();
      }
    }
    this.releasing = false;
  }
}
