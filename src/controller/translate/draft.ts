import type { Entry } from '../../snapshot/model.ts';
import type { GuardMemo } from '../assert/guards.ts';
import type { Document } from '../store/document.ts';
import type { Store, Stored } from '../store/store.ts';
import type { FindMiddleware } from './middleware.ts';
import type { Fault } from './outcomes.ts';
import type { FailedEntry, KeyRequest, KeyState, Outcome, RouteSet, Translation } from './translation.ts';

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
  /** Nothing is to be said about it, and all that it depends on beyond its text is in `surroundings`. */
  isPlain: boolean;
}

/** Remembers what became of a resource as long as neither it nor what it refers to changed. Owned by the caller. */
export interface TranslateMemo {
  readonly routes: Map<string, KnownRoute>;
  readonly upstreams: Map<string, { readonly hash: string; readonly entry: Entry }>;
  readonly guarded: GuardMemo;
  /** What routes could refer to the last time. */
  surroundings: string;
}

export function createMemo(): TranslateMemo {
  return { routes: new Map(), upstreams: new Map(), guarded: new Map(), surroundings: '' };
}

/** A resource that was accepted at some time: the only ones that are translated. */
export type Accepted = Stored & { readonly accepted: Document };

/** A translation on its way: each step adds to it and reads what the steps before it have put down. */
export class Draft {
  readonly input: TranslateInput;
  readonly memo: TranslateMemo;
  readonly entries = new Map<string, Entry>();
  readonly outcomes = new Map<string, Outcome>();
  readonly #accepted = new Map<string, Accepted[]>();

  constructor(input: TranslateInput, memo: TranslateMemo) {
    this.input = input;
    this.memo = memo;
    for (const stored of input.store.resources.values()) {
      if (stored.accepted === undefined) continue;
      const known = this.#accepted.get(stored.kind);
      if (known === undefined) this.#accepted.set(stored.kind, [stored as Accepted]);
      else known.push(stored as Accepted);
    }
  }

  accepted(kind: string): readonly Accepted[] {
    return this.#accepted.get(kind) ?? [];
  }

  add(entry: Entry): void {
    this.entries.set(entry.key, entry);
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
}
