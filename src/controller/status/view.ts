import type { ConfigStatus, Problem } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Store } from '../store/store.ts';
import type { Outcome } from '../translate/translation.ts';

/** One reconcile that did something, as `/api/v1/generations` shows it. */
export interface GenerationRecord {
  /** Generation served when it was over. */
  readonly generation: number;
  /** Unix seconds. */
  readonly time: number;
  readonly sourceHash: string;
  readonly result: ConfigStatus['result'];
  /** Entries, not documents. */
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly durationSeconds: number;
}

/** What the controller knows, for those who ask. */
export interface ControllerView {
  /** Undefined before the first reconcile is over. */
  readonly status: ConfigStatus | undefined;
  readonly store: Store;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What the last translation wants served, and what is served. */
  readonly candidate: ReadonlyMap<string, Entry>;
  readonly served: ReadonlyMap<string, Entry>;
  readonly generation: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Newest last, at most 20. */
  readonly generations: readonly GenerationRecord[];
}
