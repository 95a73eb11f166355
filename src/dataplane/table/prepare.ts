import { compileTrusted } from '../../routing/forwarded.ts';
import type { EdgeSnapshot } from '../../snapshot/model.ts';
import { Generation } from '../proxy/generation.ts';
import { buildListeners } from './build-listeners.ts';
import type { ListenerContext } from './build-listeners.ts';
import { buildMiddlewares } from './build-middlewares.ts';
import type { MiddlewareContext } from './build-middlewares.ts';
import { buildRoutes } from './build-routes.ts';
import type { RouteContext } from './build-routes.ts';
import { buildUpstreams } from './build-upstreams.ts';
import type { UpstreamContext } from './build-upstreams.ts';
import { Ledger } from './candidate.ts';
import type { Candidate, Refused } from './candidate.ts';
import type { Served } from './served.ts';
import { restForMessages, Slices } from './slices.ts';
import type { Pace } from './slices.ts';
import type { Staged } from './staged.ts';

export type PrepareContext = UpstreamContext &
  MiddlewareContext &
  RouteContext &
  ListenerContext & {
    /** Of what is done beside traffic. */
    readonly pace: Pace;
  };

/**
 * Builds the next generation beside the one being served (G2, G4). Whatever can fail, fails here: then all that was made
 * is given back and nothing has changed.
 */
export async function prepare(
  current: Served,
  staged: Staged,
  generation: number,
  context: PrepareContext,
): Promise<Candidate | Refused> {
  const ledger = new Ledger(generation);
  const { pace } = context;
  // Before the first generation there is no traffic to give way to.
  const slices = new Slices(current.generation.number === 0 ? { ...pace, rest: restForMessages } : pace);
  try {
    const candidate = await build(current, staged, generation, context, ledger, slices);
    if (candidate !== undefined && ledger.failures.length === 0) return candidate;
  } catch (error) {
    ledger.fail('', 'Invalid', error);
  }
  ledger.undoAll();
  return { failures: ledger.failures };
}

async function build(
  current: Served,
  staged: Staged,
  number: number,
  context: PrepareContext,
  ledger: Ledger,
  slices: Slices,
): Promise<Candidate | undefined> {
  const old = current.generation.edge;
  const entry = staged.set.get('Edge');
  const edge = entry === undefined ? old : (JSON.parse(entry.json) as EdgeSnapshot);
  const { upstreams, changed: changedUpstreams } = await buildUpstreams(
    current.upstreams,
    staged,
    ledger,
    slices,
    context,
  );
  const { middlewares, changed: changedMiddlewares } = await buildMiddlewares(
    current.middlewares,
    staged,
    ledger,
    slices,
    context,
  );
  const edgeChanged =
    edge.unsecured !== old.unsecured ||
    edge.middlewares.join('\n') !== old.middlewares.join('\n') ||
    edge.middlewares.some((key) => changedMiddlewares.has(key));
  const table = await buildRoutes(
    current.table,
    staged,
    { edge, upstreams, middlewares, changedUpstreams, changedMiddlewares, edgeChanged },
    ledger,
    slices,
    context,
  );
  if (table === undefined) return undefined;
  const listeners = await buildListeners(current.listeners, staged, edge.limits, ledger, context);
  const generation = new Generation({ number, edge, table, trusted: compileTrusted(edge.trustedProxies) });
  return {
    served: { generation, table, upstreams, middlewares, listeners },
    onCommit: ledger.onCommit,
    onRelease: ledger.onRelease,
    undo: () => ledger.undoAll(),
  };
}
