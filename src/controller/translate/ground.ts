import { PersistentMap } from '../../routing/persistent-map.ts';
import type { Edit } from '../../routing/persistent-map.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Stored } from '../store/store.ts';
import type { Accepted } from '../store/stored.ts';
import type { FailedEntry, RouteSet } from './translation.ts';

/** An inline upstream and the number of plain routes that name it. */
interface Origin {
  readonly entry: Entry;
  count: number;
}

/**
 * What the last translation came to, as far as the next one takes it over: a route is *plain* if nothing is to be said about
 * it and its text names all that it depends on. As long as none of that changes it is not looked at again, so that a reload
 * costs what it changes and not what there is.
 */
export class Ground {
  /** Everything that was translated. */
  resources: ReadonlyMap<string, Stored> = new Map();
  /** Accepted ones by kind, but for Routes. */
  lists: ReadonlyMap<string, readonly Accepted[]> = new Map();
  /** What routes can name, each with what it says about them. */
  targets: ReadonlyMap<string, string> = new Map();
  failed: ReadonlyMap<string, FailedEntry> = new Map();
  /** Of the Guards. */
  guards = '';
  /** Routes that are looked at each time. */
  readonly troubled = new Set<string>();
  /** Set of every route that has one, and of the plain ones their only copy. */
  sets = PersistentMap.create<RouteSet>({});
  /** The whole result. */
  entries = PersistentMap.create<Entry>({});
  /** What of it belongs to no plain route alone. */
  rest: ReadonlyMap<string, Entry> = new Map();
  readonly #origins = new Map<string, Origin>();
  /** Keys of named middlewares, with the number of plain routes that use them. */
  readonly #shared = new Map<string, number>();
  /** Entries put in or taken away by plain routes since the last `settle`. */
  readonly #changes = new Map<string, Entry | undefined>();
  #session: Edit = {};

  /** Named middlewares in use. */
  get shared(): Iterable<string> {
    return this.#shared.keys();
  }

  origin(key: string): Entry | undefined {
    return this.#origins.get(key)?.entry;
  }

  /** The plain routes. */
  *plain(): Generator<readonly [key: string, set: RouteSet]> {
    for (const pair of this.sets) if (!this.troubled.has(pair[0])) yield pair;
  }

  plainSet(key: string): RouteSet | undefined {
    return this.troubled.has(key) ? undefined : this.sets.get(key);
  }

  put(set: RouteSet): void {
    this.#changes.set(set.entry.key, set.entry);
    for (const entry of set.own) {
      if (isOrigin(entry)) this.#name(entry);
      else this.#changes.set(entry.key, entry);
    }
    for (const key of set.shared) this.#shared.set(key, (this.#shared.get(key) ?? 0) + 1);
  }

  take(set: RouteSet): void {
    this.#changes.set(set.entry.key, undefined);
    for (const entry of set.own) {
      if (isOrigin(entry)) this.#unname(entry);
      else this.#changes.set(entry.key, undefined);
    }
    for (const key of set.shared) {
      const count = (this.#shared.get(key) ?? 0) - 1;
      if (count > 0) this.#shared.set(key, count);
      else this.#shared.delete(key);
    }
  }

  /** What became of a route: undefined, nothing that could ever be served again. */
  keep(key: string, set: RouteSet | undefined): void {
    if (set === undefined) this.sets = this.sets.delete(this.#session, key);
    else if (this.sets.get(key) !== set) this.sets = this.sets.set(this.#session, key, set);
  }

  /** The result: what plain routes have, and over it the rest. What says the same stays the same object. */
  settle(rest: ReadonlyMap<string, Entry>): void {
    const changes = this.#changes;
    for (const key of this.rest.keys()) if (!changes.has(key)) changes.set(key, this.origin(key));
    for (const [key, entry] of rest) changes.set(key, entry);
    for (const [key, entry] of changes) {
      if (entry === undefined) this.entries = this.entries.delete(this.#session, key);
      else if (this.entries.get(key)?.hash !== entry.hash)
        this.entries = this.entries.set(this.#session, key, entry);
    }
    changes.clear();
    this.rest = rest;
    // From now on nobody changes what was handed out.
    this.#session = {};
  }

  #name(entry: Entry): void {
    const origin = this.#origins.get(entry.key);
    if (origin === undefined) this.#origins.set(entry.key, { entry, count: 1 });
    else origin.count += 1;
    this.#changes.set(entry.key, origin?.entry ?? entry);
  }

  #unname({ key }: Entry): void {
    const origin = this.#origins.get(key);
    if (origin === undefined) return;
    origin.count -= 1;
    if (origin.count > 0) return;
    this.#origins.delete(key);
    this.#changes.set(key, undefined);
  }
}

/** An inline upstream belongs to all who name its URL. */
function isOrigin({ key }: Entry): boolean {
  return key.startsWith('Upstream/');
}
