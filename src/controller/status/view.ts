import type { ConfigStatus, Pin, Problem, ReloadState } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Store } from '../store/store.ts';
import type { ChangeSummary } from '../history/change-summary.ts';
import type { Outcome } from '../translate/translation.ts';

/** One reconcile or rollback that did something, as `/api/v1/generations` shows it. */
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
  /** What the reload kept, scaled and dropped. */
  readonly state?: ReloadState;
  /** The first changes against the generation before; none of the first generation. */
  readonly changes: readonly ChangeSummary[];
  /** Set by a rollback: the generation whose content this is. */
  readonly rollbackOf?: number;
  /** Whether `rollback` can go back to it. */
  readonly restorable: boolean;
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
  /** Resource key → since when an older version of it is served, Unix milliseconds. */
  readonly fallbackSince: ReadonlyMap<string, number>;
  readonly pin: Pin | undefined;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Newest last: at most 20 that were served, and 20 that were refused. */
  readonly generations: readonly GenerationRecord[];
}
