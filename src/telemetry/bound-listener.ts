import { addTo } from './cell-arithmetic.ts';
import type { Cell } from './slab-allocator.ts';
import type { SeriesGroup } from './series-group.ts';
import type { ConnectionGauge } from './series.ts';

/** Open connections of one listener; there are few listeners, so that no cap is needed. */
export class BoundListener implements ConnectionGauge {
  private readonly group: SeriesGroup;
  private cell: Cell;

  constructor(group: SeriesGroup, listener: string) {
    this.group = group;
    this.cell = group.openAnyway({ metric: 'open_connections', labels: { listener }, slots: 1 });
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

  release(): void {
    // Connections may outlive their listener; they then count where nobody looks.
    if (this.group.release()) this.cell = { values: new Float64Array(1), page: -1, slot: 0 };
  }
}
