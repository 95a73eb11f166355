import { addTo, countedCode } from './cell-arithmetic.ts';
import type { Cell } from './slab-allocator.ts';
import type { SeriesGroup } from './series-group.ts';
import type { EndpointSeries } from './series.ts';

/** The series of one endpoint. `other` takes what is over the cap; undefined: this is it. */
export class BoundEndpoint implements EndpointSeries {
  private readonly group: SeriesGroup;
  private readonly upstream: string;
  private readonly endpoint: string;
  private readonly other: BoundEndpoint | undefined;
  private readonly answers = new Map<number, Cell>();

  constructor(group: SeriesGroup, upstream: string, endpoint: string, other: BoundEndpoint | undefined) {
    this.group = group;
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.other = other;
  }

  retain(): void {
    this.group.retain();
  }

  release(): void {
    if (this.group.release()) this.answers.clear();
  }

  answered(code: number): void {
    addTo(this.answer(countedCode(code)), 1);
  }

  private answer(code: number): Cell {
    const known = this.answers.get(code);
    if (known !== undefined) return known;
    const labels = { upstream: this.upstream, endpoint: this.endpoint, code: String(code) };
    const cell = this.group.open({ metric: 'upstream_requests_total', labels, slots: 1 });
    if (cell === undefined) return (this.other as BoundEndpoint).answer(code);
    this.answers.set(code, cell);
    return cell;
  }
}
