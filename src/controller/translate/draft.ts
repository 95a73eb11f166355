import type { Entry } from '../../snapshot/model.ts';
import type { GuardMemo } from '../assert/guards.ts';
import type { Store, Stored } from '../store/store.ts';
import type { Accepted } from '../store/stored.ts';
import { changedResources } from '../store/changed-resources.ts';
import type { ChangedResources } from '../store/changed-resources.ts';
import { Ground } from './ground.ts';
import type { FindMiddleware } from './middleware.ts';
import type { Fault } from './outcomes.ts';
import { SimilarNames } from './similar-names.ts';
import type { FailedEntry, KeyRequest, KeyState, Outcome, RouteSet, Translation } from './translation.ts';

export type { Accepted };

export interface TranslateInput {
  readonly store: Store;
  readonly find: FindMiddleware;
  /** Version of a key's content, or why it cannot be had. */
  readonly keyState: (request: KeyRequest) => KeyState;
  /** Version of a file below the modules directory; undefined where there is none: then workers refuse it. */
  readonly moduleState: (path: string) => KeyState | undefined;
  /** What is served now: where last good versions come from. */
  readonly last: Translation | undefined;
  /** May the default listener exist (G11)? */
  readonly defaultListener: boolean;
  /** Definitions that workers refused, by entry key. */
  readonly failed: ReadonlyMap<string, FailedEntry>;
}

export type BuiltRoute = { readonly set: RouteSet } | { readonly faults: readonly Fault[] };

interface KnownRoute {
  readonly hash: string;
  readonly depends: string;
  readonly built: BuiltRoute;
}

/** Remembers what became of a resource as long as neither it nor what it refers to changed. Owned by the caller. */
export interface TranslateMemo {
  /** Of routes that are not plain. */
  readonly routes: Map<string, KnownRoute>;
  readonly upstreams: Map<string, { readonly hash: string; readonly entry: Entry }>;
  readonly guarded: GuardMemo;
  /** Undefined: there is none yet, or a translation has failed half-way. */
  ground: Ground | undefined;
}

export function createMemo(): TranslateMemo {
  return { routes: new Map(), upstreams: new Map(), guarded: new Map(), ground: undefined };
}

/** A translation on its way: each step adds to it and reads what the steps before it have put down. */
export class Draft {
  readonly input: TranslateInput;
  readonly memo: TranslateMemo;
  /** What it stands on; changed on the way. */
  readonly ground: Ground;
  readonly changes: ChangedResources;
  readonly outcomes = new Map<string, Outcome>();
  /** For what is missing. */
  readonly similar = new SimilarNames((kind) => this.accepted(kind));
  readonly #rest = new Map<string, Entry>();
  readonly #lists: ReadonlyMap<string, readonly Accepted[]>;

  constructor(input: TranslateInput, memo: TranslateMemo) {
    this.input = input;
    this.memo = memo;
    this.ground = memo.ground ?? new Ground();
    memo.ground = undefined;
    this.changes = changedResources(this.ground.resources, input.store.resources);
    const { changed, removed, inOrder } = this.changes;
    const isSame = inOrder && [...changed, ...removed].every(({ kind }) => !isListed(kind));
    this.#lists = isSame ? this.ground.lists : listByKind(input.store.resources.values());
  }

  /** In the order of the store; of a kind other than Route. */
  accepted(kind: string): readonly Accepted[] {
    return this.#lists.get(kind) ?? [];
  }

  add(entry: Entry): void {
    this.#rest.set(entry.key, entry);
  }

  /** What is to be served under a key, but for what a plain route has alone. */
  entry(key: string): Entry | undefined {
    return this.#rest.get(key) ?? this.ground.origin(key);
  }

  keys(): Iterable<string> {
    return this.#rest.keys();
  }

  /** Why workers refused this very definition. */
  failureOf(entry: Entry): FailedEntry | undefined {
    const failure = this.input.failed.get(entry.key);
    return failure?.hash === entry.hash ? failure : undefined;
  }

  /** What is served under a key now, unless workers have refused it since. */
  lastEntry(key: string): Entry | undefined {
    const entry = this.input.last?.entries.get(key);
    return entry === undefined || this.failureOf(entry) !== undefined ? undefined : entry;
  }

  finish(listeners: Translation['listeners']): Translation {
    const { ground, memo, input } = this;
    ground.settle(this.#rest);
    ground.resources = input.store.resources;
    ground.lists = this.#lists;
    memo.ground = ground;
    const outcomes = new Map([...this.outcomes].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { entries: ground.entries, outcomes, routes: ground.sets, listeners };
  }
}

/** Routes are many, and told by what changed. */
function isListed(kind: string): boolean {
  return kind !== 'Route' && kind !== 'RouteTest';
}

function listByKind(resources: Iterable<Stored>): ReadonlyMap<string, readonly Accepted[]> {
  const lists = new Map<string, Accepted[]>();
  for (const stored of resources) {
    if (!isListed(stored.kind) || stored.accepted === undefined) continue;
    const list = lists.get(stored.kind);
    if (list === undefined) lists.set(stored.kind, [stored as Accepted]);
    else list.push(stored as Accepted);
  }
  return lists;
}
