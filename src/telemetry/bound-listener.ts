import { addTo } from './cell-arithmetic.ts';
import type { Cell } from './slab-allocator.ts';
import type { SeriesGroup } from './series-group.ts';
import type { ConnectionGauge } from './series.ts';

/** Connections of one listener; there are few listeners, so that no cap is needed. */
export class BoundListener implements ConnectionGauge {
  private readonly group: SeriesGroup;
  private cell: Cell;
  private refusals: Cell;

  constructor(group: SeriesGroup, listener: string) {
    this.group = group;
    this.cell = group.openAnyway({ metric: 'open_connections', labels: { listener }, slots: 1 });
    this.refusals = group.openAnyway({ metric: 'connections_refused_total', labels: { listener }, slots: 1 });
  }

  retain(): void {
    this.group.retain();
  }

  opened(): void {
    addTo(this.cell, 1);
  }

  closed(): void {
    addTo(this.cell, -1);
  }

  refused(): void {
    addTo(this.refusals, 1);
  }

  release(): void {
    // Connections may outlive their listener; they then count where nobody looks.
    if (this.group.release()) this.cell = this.refusals = { values: new Float64Array(1), page: -1, slot: 0 };
  }
}
