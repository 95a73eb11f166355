import { expect } from 'chai';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, it } from 'mocha';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import type { ClientSide } from '../../../../src/dataplane/proxy/client-side.ts';
import { OpenExchanges } from '../../../../src/dataplane/proxy/open-exchanges.ts';
import type { RouteTarget } from '../../../../src/dataplane/proxy/route-target.ts';
import { RemovedRoutes } from '../../../../src/dataplane/table/removed-routes.ts';

describe('RemovedRoutes', () => {
  const worlds: World[] = [];
  const createWorld = (): World => {
    const world = new World();
    worlds.push(world);
    return world;
  };
  afterEach(() => {
    for (const world of worlds.splice(0)) world.wheel.close();
  });

  it('ends what runs on a route that has gone, when the drain of its last definition is over', async () => {
    const world = createWorld();
    world.serve({ a: 5_000, b: 5_000, kept: 0 });
    world.begin('a');
    world.begin('b');
    world.begin('kept');
    world.begin('_none');
    world.serve({ a: 1_000, b: 5_000, kept: 0 });
    world.serve({ kept: 0 });
    await world.pass(900);
    expect(world.ended).to.deep.equal([]);
    await world.pass(200);
    expect(world.ended).to.deep.equal(['a']);
    await world.pass(4_000);
    expect(world.ended).to.deep.equal(['a', 'b']);
  });

  it('leaves alone what has a route again by then, and counts from its last removal', async () => {
    const world = createWorld();
    world.serve({ a: 1_000 });
    world.begin('a');
    world.serve({});
    await world.pass(500);
    world.serve({ a: 1_000 });
    await world.pass(2_000);
    expect(world.ended).to.deep.equal([]);
    world.serve({});
    await world.pass(500);
    world.serve({ a: 1_000 });
    world.serve({});
    await world.pass(700);
    expect(world.ended).to.deep.equal([]);
    await world.pass(500);
    expect(world.ended).to.deep.equal(['a']);
  });

  it('does not count anew at the removal of another route', async () => {
    const world = createWorld();
    world.serve({ a: 1_000, b: 0 });
    world.begin('a');
    world.serve({ b: 0 });
    await world.pass(700);
    world.serve({});
    await world.pass(500);
    expect(world.ended).to.deep.equal(['a']);
  });

  it('forgets what has ended by itself', async () => {
    const world = createWorld();
    world.serve({ a: 1_000 });
    const exchange = world.begin('a');
    world.serve({});
    exchange.leaving?.delete(exchange);
    world.open.delete(exchange);
    await world.pass(2_000);
    expect(world.ended).to.deep.equal([]);
  });
});

/** Exchanges and tables as far as RemovedRoutes looks at them. */
class World {
  readonly open = new OpenExchanges<ClientSide>();
  readonly wheel = new TimerWheel();
  readonly ended: string[] = [];
  private table = new Map<string, RouteTarget>();
  private readonly removed = new RemovedRoutes({
    open: this.open,
    table: () => this.table,
    wheel: this.wheel,
    pace: { clock: () => 0, rest: async () => undefined },
  });

  /** Commits a table of routes with their drain in milliseconds. */
  serve(routes: Readonly<Record<string, number>>): void {
    const old = this.table;
    this.table = new Map(
      Object.entries(routes).map(([name, drainMs]) => [name, { snapshot: { drainMs } } as RouteTarget]),
    );
    this.removed.leave(old);
  }

  begin(route: string): ClientSide {
    const exchange = { route, routeRemoved: () => void this.ended.push(route) } as unknown as ClientSide;
    this.open.add(exchange);
    return exchange;
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += this.wheel.tickMs) this.wheel.advance();
    await turn();
  }
}
