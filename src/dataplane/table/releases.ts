import type { Generation } from '../proxy/generation.ts';
import { Slices } from './slices.ts';
import type { Pace } from './slices.ts';

/** Something that a generation held and its successor does not. */
export interface Release {
  /** The first generation that held it. */
  readonly since: number;
  /** Gives it back; cannot fail. */
  run(): void;
}

/** What went with one generation. */
interface Batch {
  /** The last generation that held it. */
  readonly last: number;
  readonly releases: readonly Release[];
}

/**
 * Gives back what old generations held: each thing when no exchange is left that could use it, that is when every
 * generation from the first to the last that held it has ended. A tunnel that stays open for days holds what was there
 * when it was opened, and nothing that came and went since.
 */
export class Releases {
  private readonly pace: Pace;
  /** Retired generations with exchanges, ascending. */
  private readonly active: number[] = [];
  /** By the active generation that is waited for. */
  private readonly waiting = new Map<number, Batch[]>();
  private due: (readonly Release[])[] = [];
  private releasing = false;

  constructor(pace: Pace) {
    this.pace = pace;
  }

  /** `generation` has a successor, which lacks what `releases` give back. Generations come in ascending order. */
  retire(generation: Generation, releases: readonly Release[]): void {
    const last = generation.number;
    this.active.push(last);
    this.waiting.set(last, [{ last, releases }]);
    generation.retire(() => this.ended(last));
  }

  private ended(number: number): void {
    this.active.splice(this.indexFrom(number), 1);
    for (const batch of this.waiting.get(number) ?? []) {
      // Most often no exchange is left at all: then nothing need be looked at one by one.
      if (this.active.length === 0) this.due.push(batch.releases);
      else this.sort(batch);
    }
    this.waiting.delete(number);
    if (this.releasing || this.due.length === 0) return;
    this.releasing = true;
    void this.release();
  }

  /** What no other active generation held is due; the rest waits for one that did. */
  private sort({ last, releases }: Batch): void {
    const due: Release[] = [];
    const later = new Map<number, Release[]>();
    for (const release of releases) {
      const other = this.active[this.indexFrom(release.since)];
      if (other === undefined || other > last) due.push(release);
      else if (later.has(other)) later.get(other)?.push(release);
      else later.set(other, [release]);
    }
    if (due.length > 0) this.due.push(due);
    for (const [other, list] of later) this.waiting.get(other)?.push({ last, releases: list });
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
    const slices = new Slices(this.pace);
    while (this.due.length > 0) {
      const { due } = this;
      this.due = [];
      for (const release of due.flat()) {
        if (slices.spent) await slices.turn();
        release.run();
      }
    }
    this.releasing = false;
  }
}
