import type { PersistentMap } from '../../routing/persistent-map.ts';
import type { RoutingTable } from '../../routing/table.ts';
import type { ListenerSnapshot } from '../../snapshot/model.ts';
import type { Generation } from '../proxy/generation.ts';
import type { Listener } from '../proxy/listener.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { BoundTarget } from './bound-target.ts';
import type { BuiltMiddleware } from './built-middleware.ts';

export interface BoundListener {
  readonly snapshot: ListenerSnapshot;
  readonly listener: Listener;
}

/** All that a worker serves, and all that the next candidate may take over from it. */
export interface Served {
  readonly generation: Generation;
  /** That of the generation, with what its routes hold. */
  readonly table: RoutingTable<BoundTarget>;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly middlewares: PersistentMap<BuiltMiddleware>;
  /** By entry key. Two generations share a Listener whose address is the same, whatever it is called. */
  readonly listeners: ReadonlyMap<string, BoundListener>;
}
