import type { MetricSeries, WorkerToMain } from '../snapshot/messages.ts';
import type { MetricName } from './catalog.ts';
import type { Cell } from './slab-allocator.ts';
import { SlabAllocator } from './slab-allocator.ts';

export type MetricMessage = Extract<WorkerToMain, { readonly type: 'MetricPage' | 'MetricSeries' }>;

export interface Series {
  readonly id: number;
  readonly metric: MetricName;
  readonly slots: number;
  readonly cell: Cell;
}

export interface SeriesRequest {
  readonly metric: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly slots: number;
}

export interface SeriesLedgerOptions {
  /** Most label sets of one metric. */
  readonly maxSeries: number;
  readonly post: (message: MetricMessage) => void;
  /** Runs a task soon, in a later turn. */
  readonly defer: (task: () => void) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

const slotsPerPage = 8192;
const restMs = 30_000;
const seriesPerMessage = 250;

/** The series of one worker: gives them slots, keeps their number under the cap, and tells main in batches. */
export class SeriesLedger {
  private readonly options: SeriesLedgerOptions;
  private readonly slabs: SlabAllocator;
  private readonly counts = new Map<MetricName, number>();
  private added: MetricSeries[] = [];
  private removed: number[] = [];
  private deferred = false;
  private nextId = 1;

  constructor(options: SeriesLedgerOptions) {
    this.options = options;
    this.slabs = new SlabAllocator({
      slotsPerPage,
      restMs,
      now: options.now,
      onPage: (page, buffer) => options.post({ type: 'MetricPage', page, buffer }),
    });
  }

  /** Undefined: the metric has as many label sets as it may have; count under `_other`. */
  open(request: SeriesRequest): Series | undefined {
    const count = this.counts.get(request.metric) ?? 0;
    return count >= this.options.maxSeries ? undefined : this.openAnyway(request);
  }

  /** For `_other` and the like: their number is bounded by other means. */
  openAnyway({ metric, labels, slots }: SeriesRequest): Series {
    const cell = this.slabs.take(slots);
    const id = this.nextId++;
    this.counts.set(metric, (this.counts.get(metric) ?? 0) + 1);
    this.added.push({ id, metric, labels, page: cell.page, slot: cell.slot });
    this.deferFlush();
    return { id, metric, slots, cell };
  }

  close({ id, metric, slots, cell }: Series): void {
    this.counts.set(metric, (this.counts.get(metric) ?? 1) - 1);
    this.removed.push(id);
    this.slabs.free(cell, slots);
    this.deferFlush();
  }

  /** Tells main everything now. */
  flush(): void {
    while (this.added.length + this.removed.length > 0) this.postBatch();
  }

  private deferFlush(): void {
    if (this.deferred) return;
    this.deferred = true;
    this.options.defer(() => {
      this.deferred = false;
      this.postBatch();
      if (this.added.length + this.removed.length > 0) this.deferFlush();
    });
  }

  /** In order: all that was added is told before anything is removed, so that main never hears of an unknown id. */
  private postBatch(): void {
    if (this.added.length + this.removed.length === 0) return;
    const added = this.added.splice(0, seriesPerMessage);
    const removed = this.added.length > 0 ? [] : this.removed.splice(0, seriesPerMessage - added.length);
    this.options.post({ type: 'MetricSeries', added, removed });
  }
}
