import { PersistentMap } from '../../routing/persistent-map.ts';
import type { Edit } from '../../routing/persistent-map.ts';
import type { Entry } from '../../snapshot/model.ts';
import { PackedEntries } from '../../snapshot/packed-entries.ts';
import type { Stored } from '../store/store.ts';
import type { Accepted } from '../store/stored.ts';
import { RouteSets, usedBy } from './route-sets.ts';
import type { Troubled } from './route-sets.ts';
import type { FailedEntry, RouteSet } from './translation.ts';
import { translateInlineUpstream } from './upstream.ts';

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
  /** Routes that are looked at each time, each with its set. */
  troubled: Troubled = PersistentMap.create({});
  /** The whole result. */
  entries = PackedEntries.none;
  /** What of it belongs to no plain route alone. */
  rest: ReadonlyMap<string, Entry> = new Map();
  /** Keys of inline upstreams, with the number of plain routes that name them. */
  readonly #origins = new Map<string, number>();
  /** Keys of named middlewares, with the number of plain routes that use them. */
  readonly #shared = new Map<string, number>();
  /** Entries put in or taken away by plain routes since the last `settle`. */
  readonly #changes = new Map<string, Entry | undefined>();
  #session: Edit = {};

  /** Named middlewares in use. */
  get shared(): Iterable<string> {
    return this.#shared.keys();
  }

  get sets(): RouteSets {
    return new RouteSets(this.entries, this.troubled);
  }

  origin(key: string): Entry | undefined {
    return this.#origins.has(key) ? translateInlineUpstream(key.slice(upstreamPrefix.length)) : undefined;
  }

  /** Keys of the plain routes. */
  *plain(): Generator<string> {
    for (const key of this.entries.keys()) if (this.isPlain(key)) yield key;
  }

  isPlain(key: string): boolean {
    return key.startsWith('Route/') && !this.troubled.has(key) && this.entries.has(key);
  }

  /** A route is plain. */
  put(set: RouteSet): void {
    const { key } = set.entry;
    this.troubled = this.troubled.delete(this.#session, key);
    this.#changes.set(key, set.entry);
    for (const entry of set.own) {
      if (isOrigin(entry.key)) count(this.#origins, entry.key, 1);
      this.#changes.set(entry.key, entry);
    }
    for (const shared of set.shared) count(this.#shared, shared, 1);
  }

  /** Takes back what `put` did, if the route is plain. */
  take(key: string): void {
    const entry = this.isPlain(key) ? this.entries.get(key) : undefined;
    const used = entry && usedBy(entry);
    if (used === undefined) return;
    this.#changes.set(key, undefined);
    for (const own of used.own)
      if (!isOrigin(own) || count(this.#origins, own, -1) === 0) this.#changes.set(own, undefined);
    for (const shared of used.shared) count(this.#shared, shared, -1);
  }

  /** A route is not plain. `set`: what can be served again of it. */
  trouble(key: string, set: RouteSet | undefined): void {
    if (!this.troubled.has(key) || this.troubled.get(key) !== set)
      this.troubled = this.troubled.set(this.#session, key, set);
  }

  /** There is no such route any more. */
  forget(key: string): void {
    this.troubled = this.troubled.delete(this.#session, key);
  }

  /** The result: what plain routes have, and over it the rest. What says the same rests where it was. */
  settle(rest: ReadonlyMap<string, Entry>): void {
    const changes = this.#changes;
    for (const key of this.rest.keys()) if (!changes.has(key)) changes.set(key, this.origin(key));
    for (const [key, entry] of rest) changes.set(key, entry);
    this.entries = this.entries.with(changes);
    changes.clear();
    this.rest = rest;
    // From now on nobody changes what was handed out.
    this.#session = {};
  }
}

const upstreamPrefix = 'Upstream/';

/** An inline upstream belongs to all who name its URL. */
function isOrigin(key: string): boolean {
  return key.startsWith(upstreamPrefix);
}

/** Adds to a number; one that comes to 0 is taken out. */
function count(numbers: Map<string, number>, key: string, more: number): number {
  const sum = (numbers.get(key) ?? 0) + more;
  if (sum > 0) numbers.set(key, sum);
  else numbers.delete(key);
  return sum;
}
