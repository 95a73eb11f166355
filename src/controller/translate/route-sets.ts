import type { PersistentMap } from '../../routing/persistent-map.ts';
import type { Entry, RouteSnapshot } from '../../snapshot/model.ts';
import type { RouteSet } from './translation.ts';

/** Undefined: nothing of the route could ever be served again. */
export type Troubled = PersistentMap<RouteSet | undefined>;

/**
 * The set of each route that has one. What a route without trouble has stands in the entries: its set is made of them when it is
 * asked for, as nearly no set ever is.
 */
export class RouteSets {
  readonly #entries: Pick<ReadonlyMap<string, Entry>, 'get'>;
  readonly #troubled: Troubled;

  constructor(entries: Pick<ReadonlyMap<string, Entry>, 'get'>, troubled: Troubled) {
    this.#entries = entries;
    this.#troubled = troubled;
  }

  get(key: string): RouteSet | undefined {
    return this.#troubled.has(key) ? this.#troubled.get(key) : this.#setOf(key);
  }

  #setOf(key: string): RouteSet | undefined {
    const entry = this.#entries.get(key);
    const used = entry && usedBy(entry);
    // It answers 503, which is no good version.
    if (entry === undefined || used === undefined) return undefined;
    return { entry, own: used.own.flatMap((own) => this.#entries.get(own) ?? []), shared: used.shared };
  }
}

/** Keys of what a route uses alone (of inline upstreams: perhaps not alone) and of the middlewares that it shares. */
export interface UsedKeys {
  readonly own: readonly string[];
  readonly shared: readonly string[];
}

/** Undefined: the route answers 503. */
export function usedBy(route: Entry): UsedKeys | undefined {
  const { middlewares, upstreams, unsecured } = JSON.parse(route.json) as RouteSnapshot;
  if (unsecured !== undefined) return undefined;
  const isOwn = (key: string): boolean => /^Middleware\/.*[#@]|^Upstream\/https?:/.test(key);
  const used = [...middlewares, ...upstreams.flatMap(({ key }) => key ?? [])];
  return { own: [...new Set(used.filter(isOwn))], shared: middlewares.filter((key) => !isOwn(key)) };
}
