import type { EndpointCells } from '../snapshot/messages.ts';

const pageBytes = 64 * 1024;
/** A prepared table may still look at a slot for a moment after the generation that used it has gone. */
const quarantineMs = 60_000;

interface FreedSlot {
  readonly slot: EndpointCells;
  readonly since: number;
}

/**
 * Slots of Int32 cells in shared pages: [health, in flight of worker 0, of worker 1, …]. A freed slot is used again
 * only when nothing is in flight on it any more and it has rested.
 */
export class CellPages {
  readonly #cells: number;
  readonly #now: () => number;
  readonly #pages: SharedArrayBuffer[] = [];
  /** Slots handed out of the last page. */
  #filled = 0;
  readonly #freed: FreedSlot[] = [];

  /** `now`: milliseconds that only go forward. */
  constructor(workers: number, now: () => number) {
    this.#cells = 1 + workers;
    this.#now = now;
  }

  /** A slot that says healthy and nothing in flight. */
  take(): EndpointCells {
    const slot = this.#reuse() ?? this.#append();
    const cells = this.#view(slot);
    Atomics.store(cells, 0, 1);
    return slot;
  }

  free(slot: EndpointCells): void {
    this.#freed.push({ slot, since: this.#now() });
  }

  /** A worker died: what it had in flight is gone, freed slots included. */
  forgetWorker(index: number): void {
    for (const page of this.#pages) {
      const cells = new Int32Array(page);
      for (let i = 1 + index; i < cells.length; i += this.#cells) Atomics.store(cells, i, 0);
    }
  }

  #reuse(): EndpointCells | undefined {
    const restedBefore = this.#now() - quarantineMs;
    // Freed in the order of time: the first that has not rested ends the search.
    for (let i = 0; i < this.#freed.length && i < 64; i++) {
      const { slot, since } = this.#freed[i] as FreedSlot;
      if (since > restedBefore) return undefined;
      if (!this.#isIdle(slot)) continue;
      this.#freed.splice(i, 1);
      return slot;
    }
    return undefined;
  }

  #append(): EndpointCells {
    const perPage = Math.floor(pageBytes / 4 / this.#cells);
    if (this.#pages.length === 0 || this.#filled === perPage) {
      this.#pages.push(new SharedArrayBuffer(perPage * this.#cells * 4));
      this.#filled = 0;
    }
    const buffer = this.#pages.at(-1) as SharedArrayBuffer;
    return { buffer, offset: this.#filled++ * this.#cells };
  }

  #isIdle(slot: EndpointCells): boolean {
    return this.#view(slot)
      .subarray(1)
      .every((_, i, cells) => Atomics.load(cells, i) === 0);
  }

  #view(slot: EndpointCells): Int32Array {
    return new Int32Array(slot.buffer, slot.offset * 4, this.#cells);
  }
}
