import { addTo, observeInto } from './cell-arithmetic.ts';
import { histogramSlots } from './duration-buckets.ts';
import type { Cell } from './slab-allocator.ts';
import type { SeriesGroup } from './series-group.ts';
import { otherLabel } from './series-group.ts';
import type { UpstreamSeries } from './series.ts';

/** Reasons are words of our own; more than this many would be a mistake that must not grow. */
const maxReasons = 32;

/** The series of one upstream label. `other` takes what is over the cap; undefined: this is it. */
export class BoundUpstream implements UpstreamSeries {
  private readonly group: SeriesGroup;
  private readonly label: string;
  private readonly other: BoundUpstream | undefined;
  private duration: Cell | undefined;
  private readonly retries = new Map<string, Cell>();

  constructor(group: SeriesGroup, label: string, other: BoundUpstream | undefined) {
    this.group = group;
    this.label = label;
    this.other = other;
  }

  retain(): void {
    this.group.retain();
  }

  release(): void {
    if (!this.group.release()) return;
    this.duration = undefined;
    this.retries.clear();
  }

  observe(seconds: number): void {
    observeInto(this.duration ?? this.openDuration(), seconds);
  }

  retried(reason: string): void {
    addTo(this.retry(reason), 1);
  }

  private openDuration(): Cell {
    const labels = { upstream: this.label };
    const own = this.group.open({
      metric: 'upstream_request_duration_seconds',
      labels,
      slots: histogramSlots,
    });
    this.duration =
      own ?? (this.other as BoundUpstream).duration ?? (this.other as BoundUpstream).openDuration();
    return this.duration;
  }

  private retry(reason: string): Cell {
    const known = this.retries.get(reason);
    if (known !== undefined) return known;
    const counted = this.retries.size < maxReasons ? reason : otherLabel;
    const last = this.retries.get(counted);
    if (last !== undefined) return last;
    const labels = { upstream: this.label, reason: counted };
    const cell = this.group.open({ metric: 'upstream_retries_total', labels, slots: 1 });
    if (cell === undefined) return (this.other as BoundUpstream).retry(reason);
    this.retries.set(counted, cell);
    return cell;
  }
}
