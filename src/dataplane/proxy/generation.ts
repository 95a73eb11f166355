import type { EdgeSnapshot } from '../../snapshot/model.ts';
import type { RoutingTable } from '../../routing/table.ts';
import type { TrustedProxies } from '../../routing/forwarded.ts';
import type { RouteTarget } from './route-target.ts';

/**
 * What a worker serves: one immutable table behind one reference. An exchange takes the reference once and counts
 * itself in, so that what only this generation holds is released when its last exchange ends and no earlier.
 */
export class Generation {
  readonly number: number;
  readonly edge: EdgeSnapshot;
  readonly table: RoutingTable<RouteTarget>;
  readonly trusted: TrustedProxies;
  private exchanges = 0;
  private retired: (() => void) | undefined;

  constructor(options: {
    readonly number: number;
    readonly edge: EdgeSnapshot;
    readonly table: RoutingTable<RouteTarget>;
    readonly trusted: TrustedProxies;
  }) {
    this.number = options.number;
    this.edge = options.edge;
    this.table = options.table;
    this.trusted = options.trusted;
  }

  enter(): void {
    this.exchanges++;
  }

  leave(): void {
    this.exchanges--;
    if (this.exchanges === 0 && this.retired !== undefined) this.release();
  }

  /** No new exchange will enter; `released` is called once when the last one has left. */
  retire(released: () => void): void {
    this.retired = released;
    if (this.exchanges === 0) this.release();
  }

  private release(): void {
    const released = this.retired;
    this.retired = undefined;
    released?.();
  }
}
