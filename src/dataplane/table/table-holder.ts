import { PersistentMap } from '../../routing/persistent-map.ts';
import { RoutingTable } from '../../routing/table.ts';
import type { Attachment, PrepareFailure } from '../../snapshot/messages.ts';
import type { Delta } from '../../snapshot/model.ts';
import type { Engine } from '../proxy/engine.ts';
import type { Listener } from '../proxy/listener.ts';
import type { Candidate } from './candidate.ts';
import { prepare } from './prepare.ts';
import type { PrepareContext } from './prepare.ts';
import { Releases } from './releases.ts';
import { RemovedRoutes } from './removed-routes.ts';
import type { Served } from './served.ts';
import { Staged } from './staged.ts';

/**
 * The worker's end of the two-phase publish: chunks are staged, a candidate is prepared beside what is served, and a
 * commit swaps one reference.
 */
export class TableHolder {
  private served: Served;
  private staged: Staged | undefined = undefined;
  private candidate: Candidate | undefined = undefined;
  private readonly engine: Engine;
  private readonly context: PrepareContext;
  private readonly removedRoutes: RemovedRoutes;
  private readonly releases: Releases;

  constructor(engine: Engine, context: PrepareContext) {
    this.engine = engine;
    this.context = context;
    const { wheel, pace } = context;
    const table = () => engine.current.table;
    this.releases = new Releases(pace);
    this.removedRoutes = new RemovedRoutes({ open: engine.open, table, wheel, pace });
    this.served = {
      generation: engine.current,
      table: RoutingTable.empty(),
      upstreams: new Map(),
      middlewares: PersistentMap.create({}),
      listeners: new Map(),
    };
  }

  /** Those being served. */
  get listeners(): readonly Listener[] {
    return [...this.served.listeners.values()].map(({ listener }) => listener);
  }

  /** Throws if the delta does not start from what is served (G3). */
  stage(delta: Delta, attachments: readonly Attachment[]): void {
    const base = this.served.generation.number;
    if (delta.base !== base)
      throw new Error(`delta starts from generation ${String(delta.base)}, served is ${String(base)}`);
    if (delta.generation <= base && base !== 0)
      throw new Error(`generation ${String(delta.generation)} is not newer than ${String(base)}`);
    this.staged ??= new Staged(base);
    this.staged.take(delta, attachments);
  }

  async prepare(generation: number): Promise<readonly PrepareFailure[]> {
    this.discard();
    const result = await prepare(
      this.served,
      this.staged ?? new Staged(this.served.generation.number),
      generation,
      this.context,
    );
    if ('failures' in result) return result.failures;
    this.candidate = result;
    return [];
  }

  /** Swaps the table. A request that has been matched stays with the old one to its end. */
  commit(generation: number): void {
    const { candidate, served: old } = this;
    if (candidate?.served.generation.number !== generation) {
      throw new Error(`generation ${String(generation)} was not prepared`);
    }
    const removesRoutes = this.staged?.removesRoutes ?? false;
    this.candidate = undefined;
    this.staged = undefined;
    this.served = candidate.served;
    this.context.keys.commit();
    this.engine.current = candidate.served.generation;
    for (const step of candidate.onCommit) step();
    if (removesRoutes) this.removedRoutes.leave(old.generation.table);
    this.releases.retire(old.generation, candidate.onRelease);
  }

  abort(): void {
    this.discard();
    this.context.keys.abort();
    this.staged = undefined;
  }

  private discard(): void {
    this.candidate?.undo();
    this.candidate = undefined;
  }
}
