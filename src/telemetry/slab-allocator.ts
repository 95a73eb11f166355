/** Where a series lives: `slot` is its first number in `values`, a view of page `page`. */
export interface Cell {
  readonly values: Float64Array;
  readonly page: number;
  readonly slot: number;
}

export interface SlabAllocatorOptions {
  readonly slotsPerPage: number;
  /** A page was allocated; called before any cell of it is handed out. */
  readonly onPage: (page: number, buffer: SharedArrayBuffer) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A freed cell rests this long: until then the reader may not have heard that it is free. */
  readonly restMs: number;
}

interface Resting {
  readonly cell: Cell;
  readonly since: number;
}

/** Hands out runs of zeroed Float64 slots from shared pages, which are allocated as they are needed. */
export class SlabAllocator {
  private readonly options: SlabAllocatorOptions;
  private readonly freed = new Map<number, { readonly queue: Resting[]; head: number }>();
  private page = -1;
  private values: Float64Array = new Float64Array(0);
  private next = 0;

  constructor(options: SlabAllocatorOptions) {
    this.options = options;
  }

  take(slots: number): Cell {
    const reused = this.reuse(slots);
    if (reused !== undefined) return reused;
    if (this.page < 0 || this.next + slots > this.values.length) this.addPage();
    const cell = { values: this.values, page: this.page, slot: this.next };
    this.next += slots;
    return cell;
  }

  /** `slots` as given to `take`. */
  free(cell: Cell, slots: number): void {
    let list = this.freed.get(slots);
    if (list === undefined) this.freed.set(slots, (list = { queue: [], head: 0 }));
    list.queue.push({ cell, since: this.options.now() });
  }

  private reuse(slots: number): Cell | undefined {
    const list = this.freed.get(slots);
    const oldest = list?.queue[list.head];
    if (list === undefined || oldest === undefined) return undefined;
    if (this.options.now() - oldest.since < this.options.restMs) return undefined;
    list.head += 1;
    if (list.head > 1024 && list.head * 2 > list.queue.length) {
      list.queue.splice(0, list.head);
      list.head = 0;
    }
    oldest.cell.values.fill(0, oldest.cell.slot, oldest.cell.slot + slots);
    return oldest.cell;
  }

  private addPage(): void {
    const buffer = new SharedArrayBuffer(this.options.slotsPerPage * Float64Array.BYTES_PER_ELEMENT);
    this.page += 1;
    this.values = new Float64Array(buffer);
    this.next = 0;
    this.options.onPage(this.page, buffer);
  }
}
