import type { Problem } from '../../snapshot/messages.ts';
import type { Entry, KeyReference } from '../../snapshot/model.ts';
import type { PackedEntries } from '../../snapshot/packed-entries.ts';

/** What became of one resource; those of which nothing is to be said have none. */
export interface Outcome {
  /**
   * `lastGood`: an older version is served; `unsecured`: answers 503; `none`: nothing of it is served;
   * `disabled`: its author wants nothing served.
   */
  readonly serving: 'current' | 'lastGood' | 'unsecured' | 'none' | 'disabled';
  /** Stable word: `MiddlewareMissing`, `UpstreamMissing`, `ListenerMissing`, `KeyMissing`, `PortConflict`, `PrepareFailed`, … */
  readonly reason?: string;
  /** True: the resource's references are all right; what is wrong is something else. */
  readonly resolved: boolean;
  readonly problems: readonly Problem[];
  /** Why workers refused it. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A route as it was last served well: its entry and those that are its own. */
export interface RouteSet {
  readonly entry: Entry;
  /** Inline and per-route middlewares, inline upstreams. */
  readonly own: readonly Entry[];
  /** Keys of its middlewares that others use too. */
  readonly shared: readonly string[];
}

/** Everything that is to be served, and what is to be said about it. */
export interface Translation {
  readonly entries: PackedEntries;
  /** By resource key. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Last good set of each route that has one, by resource key. */
  readonly routes: Pick<ReadonlyMap<string, RouteSet>, 'get'>;
  /** Listener entries of each Gateway, by resource key. */
  readonly listeners: ReadonlyMap<string, readonly Entry[]>;
}

/** A definition that workers refused: this one, not a later one of the same key. */
export interface FailedEntry {
  readonly hash: string;
  readonly code: string;
  readonly message: string;
}

/** Answer for one key reference: its version, or why there is none. */
export type KeyState = { readonly version: string } | { readonly error: string };

/** A reference as a middleware names it, before its content was looked at. */
export type KeyRequest = Omit<KeyReference, 'version'>;
