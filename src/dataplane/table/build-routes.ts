import { composePipeline } from '../../middleware/pipeline.ts';
import type { HookFailure, PipelineInstance } from '../../middleware/pipeline.ts';
import { RouteError } from '../../routing/rule.ts';
import type { RoutingTable } from '../../routing/table.ts';
import type { EdgeSnapshot, RouteSnapshot } from '../../snapshot/model.ts';
import type { WorkerMetrics } from '../../telemetry/series.ts';
import type { RouteDefinition } from '../proxy/route-target.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { BoundTarget } from './bound-target.ts';
import type { Ledger } from './candidate.ts';
import type { BuiltMiddleware } from './built-middleware.ts';
import { CommonParts } from './common-parts.ts';
import type { Slices } from './slices.ts';
import type { Staged } from './staged.ts';

/** What routes of the candidate are bound to, and which of it is not what it was. */
export interface RouteParts {
  readonly edge: EdgeSnapshot;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly middlewares: ReadonlyMap<string, BuiltMiddleware>;
  readonly changedUpstreams: ReadonlySet<string>;
  readonly changedMiddlewares: ReadonlySet<string>;
  /** A Gateway-wide middleware is another one: every route is bound anew. */
  readonly edgeChanged: boolean;
}

export interface RouteContext {
  readonly metrics: WorkerMetrics;
  readonly hookFailed: HookFailure;
}

/** The table of the candidate: it shares with the current one whatever does not depend on a change. */
export async function buildRoutes(
  current: RoutingTable<BoundTarget>,
  staged: Staged,
  parts: RouteParts,
  ledger: Ledger,
  slices: Slices,
  context: RouteContext,
): Promise<RoutingTable<BoundTarget> | undefined> {
  const removed: string[] = [];
  let looked = 0;
  for (const key of staged.removed) {
    if (++looked % 64 === 0 && slices.spent) await slices.turn();
    if (!key.startsWith('Route/')) continue;
    const name = key.slice('Route/'.length);
    removed.push(name);
    const old = current.get(name);
    if (old !== undefined) ledger.onRelease.push(old);
  }
  const rebound = await reboundRoutes(current, staged, parts, slices);
  const common = new CommonParts(parts.middlewares);
  const bound = (route: RouteDefinition, old: BoundTarget | undefined): BoundTarget => {
    if (old !== undefined) ledger.onRelease.push(old);
    const target = bind(route, old, parts, common, ledger.generation, context);
    ledger.made(target);
    return target;
  };
  const steps = current.changing(
    { set: routesOf(staged, common), removed, rebound },
    (route) => bound(definitionOf(route), current.get(route.name)),
    (old) => bound(old.snapshot, old),
  );
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (slices.spent) await slices.turn();
    }
  } catch (error) {
    if (!(error instanceof RouteError)) throw error;
    ledger.fail(`Route/${error.route}`, 'Invalid', error);
    return undefined;
  }
}

/** Read one by one: what a text is read into is garbage as soon as its route is bound, and nothing that is copied again and again. */
function* routesOf(staged: Staged, common: CommonParts): Generator<RouteSnapshot> {
  for (const { json } of staged.entries('Route')) yield common.shared(JSON.parse(json) as RouteSnapshot);
}

/** Names of routes that are what they were, but use something that is not. */
async function reboundRoutes(
  current: RoutingTable<BoundTarget>,
  staged: Staged,
  parts: RouteParts,
  slices: Slices,
): Promise<ReadonlySet<string>> {
  const rebound = new Set<string>();
  const rebind = ({ key, name }: BoundTarget): void => {
    if (!staged.set.has(key) && !staged.removed.has(key)) rebound.add(name);
  };
  let looked = 0;
  const shared = new Set<string>();
  for (const key of parts.changedMiddlewares) {
    if (++looked % 64 === 0 && slices.spent) await slices.turn();
    const user = userOf(key, current);
    if (user === undefined) shared.add(key);
    else rebind(user);
  }
  if (!parts.edgeChanged && parts.changedUpstreams.size === 0 && shared.size === 0) return rebound;
  for (const target of current.targets()) {
    if (++looked % 64 === 0 && slices.spent) await slices.turn();
    if (dependsOn(target.snapshot, parts, shared)) rebind(target);
  }
  return rebound;
}

/** The one route that an inline or per-route middleware belongs to (its key says so); undefined: others may use it too. */
function userOf(key: string, routes: RoutingTable<BoundTarget>): BoundTarget | undefined {
  const own = /^Middleware\/(?:([^#@]+)#|[^#@]+@(.+)$)/.exec(key);
  const user = own === null ? undefined : routes.get(own[1] ?? own[2] ?? '');
  return user?.snapshot.middlewares.includes(key) === true ? user : undefined;
}

function dependsOn(route: RouteDefinition, parts: RouteParts, middlewares: ReadonlySet<string>): boolean {
  return (
    parts.edgeChanged ||
    route.middlewares.some((key) => middlewares.has(key)) ||
    route.upstreams.some(({ key }) => key !== null && parts.changedUpstreams.has(key))
  );
}

/** Without what only the table needs: with 10,000 routes that is as much as all the rest. */
function definitionOf(route: RouteSnapshot): RouteDefinition {
  return {
    name: route.name,
    middlewares: route.middlewares,
    upstreams: route.upstreams,
    unsecured: route.unsecured,
    guard: route.guard,
    hostHeader: route.hostHeader,
    timeouts: route.timeouts,
    drainMs: route.drainMs,
  };
}

function bind(
  route: RouteDefinition,
  old: BoundTarget | undefined,
  parts: RouteParts,
  common: CommonParts,
  since: number,
  context: RouteContext,
): BoundTarget {
  const instances: PipelineInstance[] = [];
  let unsecured = route.unsecured !== undefined || parts.edge.unsecured !== undefined;
  for (const key of [...parts.edge.middlewares, ...route.middlewares]) {
    const built = parts.middlewares.get(key);
    if (built === undefined) unsecured = true;
    else instances.push(built);
  }
  const shares = route.upstreams.map(({ key, weight }) => ({
    upstream: key === null ? undefined : parts.upstreams.get(key),
    weight,
  }));
  return new BoundTarget({
    name: route.name,
    snapshot: route,
    pipeline: composePipeline(instances, context.hookFailed),
    split: common.split(shares, old?.split),
    series: context.metrics.route(route.name),
    unsecured,
    since,
  });
}
