/** Messages between main and the shadow thread, which decides live traffic by a second configuration. Data only. */
import type { KeyMaterial, LogLevel, LogRecord } from './messages.ts';
import type { Delta, KeyReference } from './model.ts';

/** workerData of the shadow thread. */
export interface ShadowThreadData {
  /** Files and directories of the candidate, as given to `--shadow`. */
  readonly paths: readonly string[];
  readonly logLevel: LogLevel;
  /** The candidate's modules are there too; none is run. */
  readonly modulesDir?: string;
  /** As in ConfigThreadData: equal secrets have equal versions in both configurations. */
  readonly versionKey: Uint8Array;
  /** Where each worker puts the requests that it decides. */
  readonly rings: readonly SharedArrayBuffer[];
}

export type MainToShadow =
  /** One part of what is served from `generation` on, relative to `base` (0: nothing). */
  | { readonly type: 'Chunk'; readonly delta: Delta }
  /** All parts are out. */
  | { readonly type: 'Served'; readonly generation: number }
  /** `answers`: the number of the `KeysWanted` that it answers; without one: what has changed by itself. */
  | { readonly type: 'Keys'; readonly materials: readonly KeyMaterial[]; readonly answers?: number }
  /** Look at the candidate now. */
  | { readonly type: 'Reconcile' }
  /** Answered by `Answer` with a ShadowReport. */
  | { readonly type: 'Query'; readonly id: number };

export type ShadowToMain =
  /** All that both configurations verify tokens with. */
  | { readonly type: 'KeysWanted'; readonly id: number; readonly references: readonly KeyReference[] }
  | ({ readonly type: 'Counted' } & ShadowCounts)
  | { readonly type: 'Log'; readonly records: readonly LogRecord[] }
  | { readonly type: 'Answer'; readonly id: number; readonly value?: unknown; readonly error?: string };

/** `uncertain`: it may change, but a limit, a user's module or a token without its key has the last word. */
export const shadowResults = ['same', 'changed', 'uncertain'] as const;
export type ShadowResult = (typeof shadowResults)[number];

/**
 * Why a request was not compared: the thread was `behind`; the `candidate` has problems, or nothing was read of it yet; the
 * `generation` that decided it is long gone; it could not be decided at all (`failed`).
 */
export const shadowDropReasons = ['behind', 'candidate', 'generation', 'failed'] as const;
export type ShadowDropReason = (typeof shadowDropReasons)[number];

/** What came to pass since the last message. */
export interface ShadowCounts {
  readonly requests: readonly {
    readonly route: string;
    readonly result: ShadowResult;
    readonly count: number;
  }[];
  readonly changes: readonly { readonly route: string; readonly change: string; readonly count: number }[];
  readonly dropped: readonly { readonly reason: ShadowDropReason; readonly count: number }[];
  /** Routes that are served no more. */
  readonly gone: readonly string[];
}
