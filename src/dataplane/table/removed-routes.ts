import type { ClientSide } from '../proxy/client-side.ts';
import type { RouteTarget } from '../proxy/route-target.ts';
import type { OpenExchanges } from '../proxy/open-exchanges.ts';
import type { RoutingTable } from '../../routing/table.ts';
import { TimerEntry } from '../http1/timer-wheel.ts';
import type { TimerWheel } from '../http1/timer-wheel.ts';
import { Slices } from './slices.ts';
import type { Pace } from './slices.ts';

type Table = Pick<RoutingTable<RouteTarget>, 'get'>;

export interface RemovedRoutesParts {
  readonly open: OpenExchanges<ClientSide>;
  /** The table being served. */
  readonly table: () => Table;
  readonly wheel: TimerWheel;
  readonly pace: Pace;
}

/**
 * Ends what still runs on a route that has gone when the `drain` of its last definition is over. A route that merely
 * changed keeps what it has, and so does one that has come back by then.
 */
export class RemovedRoutes {
  private readonly parts: RemovedRoutesParts;

  constructor(parts: RemovedRoutesParts) {
    this.parts = parts;
  }

  /** To be called at the commit of a table that lacks routes of the `old` one: all exchanges are looked at. */
  leave(old: Table): void {
    const { open, table, wheel } = this.parts;
    const now = table();
    const groups = new Map<number, Set<ClientSide>>();
    for (const exchange of open.list()) {
      // It may have been matched by an older table still: then its time runs already, or its route has come back since.
      const gone = now.get(exchange.route) === undefined ? old.get(exchange.route) : undefined;
      if (gone === undefined) continue;
      const { drainMs } = gone.snapshot;
      let group = groups.get(drainMs);
      if (group === undefined) groups.set(drainMs, (group = new Set()));
      exchange.leaving?.delete(exchange);
      exchange.leaving = group;
      group.add(exchange);
    }
    for (const [drainMs, group] of groups) {
      wheel.arm(new TimerEntry({ expired: () => void this.end(group) }), drainMs);
    }
  }

  /** Thousands of tunnels may end at once, and traffic goes on beside. */
  private async end(group: Set<ClientSide>): Promise<void> {
    const slices = new Slices(this.parts.pace);
    for (const exchange of group) {
      if (slices.spent) await slices.turn();
      if (this.parts.table().get(exchange.route) === undefined) exchange.routeRemoved();
    }
  }
}
