import type { Cell } from './slab-allocator.ts';
import type { Series, SeriesLedger, SeriesRequest } from './series-ledger.ts';
import { histogramSlots } from './duration-buckets.ts';

/** Value of every label of a series that stands for those beyond the cap. */
export const otherLabel = '_other';

export interface GroupRegistry {
  delete(label: string): unknown;
}

/**
 * The series that belong to one route, upstream, endpoint or listener, counted by those who use it: when the last one
 * releases it, all of them go. Whoever still counts then does so into memory that nobody reads.
 */
export class SeriesGroup {
  private readonly ledger: SeriesLedger;
  private readonly cap: 'capped' | 'uncapped';
  private series: Series[] | undefined;
  private users = 0;
  private scrap: Cell | undefined;
  private readonly registry: GroupRegistry | undefined;
  private readonly label: string;

  /** `registry`: where it is found by its label until it is closed. There is one for each route: no closure for that. */
  constructor(ledger: SeriesLedger, cap: 'capped' | 'uncapped', registry?: GroupRegistry, label = '') {
    this.ledger = ledger;
    this.cap = cap;
    this.registry = registry;
    this.label = label;
  }

  get closed(): boolean {
    return this.scrap !== undefined;
  }

  /** Undefined: over the cap. */
  open(request: SeriesRequest): Cell | undefined {
    if (this.cap === 'uncapped') return this.openAnyway(request);
    if (this.scrap !== undefined) return this.scrap;
    return this.keep(this.ledger.open(request));
  }

  openAnyway(request: SeriesRequest): Cell {
    if (this.scrap !== undefined) return this.scrap;
    const series = this.ledger.openAnyway(request);
    (this.series ??= []).push(series);
    return series.cell;
  }

  retain(): void {
    this.users += 1;
  }

  /** True: that was the last user; cells handed out before must be let go. */
  release(): boolean {
    this.users -= 1;
    if (this.users !== 0) return false;
    for (const series of this.series ?? []) this.ledger.close(series);
    this.series = undefined;
    this.scrap = { values: new Float64Array(histogramSlots), page: -1, slot: 0 };
    this.registry?.delete(this.label);
    return true;
  }

  private keep(series: Series | undefined): Cell | undefined {
    if (series === undefined) return undefined;
    (this.series ??= []).push(series);
    return series.cell;
  }
}
