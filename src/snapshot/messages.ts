/** Every message between the threads. Data only; each is handled by an exhaustive switch at its receiver. */
import type { Delta, Entry } from './model.ts';
import type { PartMemory } from './packed-entries.ts';

/** A problem with a place, as printed: `file:line:column path message (hint)`. */
export interface Problem {
  /** `FILE:LINE:COLUMN`, or the file alone. */
  readonly at: string;
  /** Field path, e.g. `spec.matches[0].path.prefix`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Unix milliseconds. */
  readonly time: number;
}

/** Why an entry could not be prepared; `code` is stable: `AddressInUse`, `PermissionDenied`, `ModuleFailed`, `KeyUnavailable`, `Invalid`. */
export interface PrepareFailure {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

/** What a commit did to state that outlives a generation (G6), in counts of limiters or endpoints. */
export interface StateTally {
  readonly kept: number;
  readonly scaled: number;
  readonly dropped: number;
}

export interface ReloadState {
  /** Token buckets, by rate limit. */
  readonly limiters: StateTally;
  /** Health verdicts and in-flight counts. */
  readonly endpoints: StateTally;
}

// ---- config thread → main -----------------------------------------------------------------------------------------

/** workerData of the config thread. */
export interface ConfigThreadData {
  /** Files and directories of resources, as given to `--config`. */
  readonly paths: readonly string[];
  /** The first configuration must have no problem. */
  readonly strict: boolean;
  readonly logLevel: LogLevel;
  /** Where users' modules are; absent: none are loaded. */
  readonly modulesDir?: string;
  /** Where the last accepted documents are kept over restarts; absent: nowhere. */
  readonly stateDir?: string;
  /**
   * What is served when the thread is started again after a crash (first start: 0). It begins with `base: 0` and
   * generations above this one (G3); main finds out what its candidate no longer holds.
   */
  readonly servedGeneration: number;
  /** Under which contents of secrets are hashed to versions; absent: a key of its own. */
  readonly versionKey?: Uint8Array;
  /** What was pinned when the thread crashed. */
  readonly pinned?: PinnedSet;
  /** What main has for the thread that is started after a crash; absent if the one before had not come that far. */
  readonly survived?: Survived;
  /** Larger files are problems and are not read; default 64 MiB. */
  readonly maxFileBytes?: number;
  /** Of one path; default 100,000. */
  readonly maxFiles?: number;
  /** Safety net for lost file events; default 10,000. */
  readonly pollMs?: number;
}

/** What a crash of the config thread leaves behind in main, so that its successor isolates broken documents as it did. */
export interface Survived {
  /** What is served. */
  readonly parts: readonly PartMemory[];
  /** Of the files that it was made of. */
  readonly servedHash: string;
  /** As it was given by `Keep`. */
  readonly state: Uint8Array;
}

/** An older generation that is kept in service, whatever the source says. */
export interface Pin {
  /** Number that it had when it was served. */
  readonly of: number;
  /** Unix milliseconds. */
  readonly since: number;
  /** Unix milliseconds; absent: no end. */
  readonly until?: number;
  /** Of the files that the generation was made of. */
  readonly sourceHash: string;
  /** Of the documents that were accepted when it was pinned: other ones end it. */
  readonly accepted: string;
}

/** A pin with all that it serves. */
export interface PinnedSet extends Pin {
  readonly entries: readonly Entry[];
}

/** Answer to `Command`. */
export type CommandResult =
  | { readonly done: true; readonly value: unknown }
  | { readonly done: false; readonly reason: 'UnknownGeneration' | 'Refused'; readonly message: string };

export type ConfigToMain =
  /** One part of a candidate; the next is sent after `ChunkTaken`. */
  | { readonly type: 'Chunk'; readonly delta: Delta }
  /** All parts are out: prepare, then commit. Answered by `Published`. */
  | {
      readonly type: 'Publish';
      readonly generation: number;
      /** As in its deltas. */
      readonly base: number;
      /** What the candidate rests in, as far as `base` does not: shared, so that main keeps no copy. */
      readonly parts: readonly PartMemory[];
      readonly sourceHash: string;
    }
  | { readonly type: 'Status'; readonly status: ConfigStatus }
  /** For the thread's successor, should it crash; main does not look into it. */
  | { readonly type: 'Keep'; readonly state: Uint8Array }
  /** Whether something is wrong with the state directory. */
  | { readonly type: 'StateTrouble'; readonly failing: boolean }
  | { readonly type: 'Log'; readonly records: readonly LogRecord[] }
  /** Answer to `Query` and `Command` (a CommandResult); `value` is JSON-printable. */
  | { readonly type: 'Answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  /** Under --strict or with nothing to serve: the program cannot start. */
  | { readonly type: 'Fatal'; readonly message: string; readonly problems: readonly Problem[] };

/** What main shows in metrics and readiness; sent after every reconcile. */
export interface ConfigStatus {
  readonly result: 'applied' | 'unchanged' | 'partial' | 'refused';
  readonly generation: number;
  readonly sourceHash: string;
  readonly servedHash: string;
  /** Set while an older generation is pinned. */
  readonly pin?: Pin;
  readonly durationSeconds: number;
  /** Unix seconds. */
  readonly time: number;
  /** Documents by kind and state. */
  readonly resources: readonly {
    readonly kind: string;
    readonly state: 'accepted' | 'refused' | 'fallback' | 'failed';
    readonly count: number;
  }[];
  readonly problems: number;
}

// ---- main → config thread -----------------------------------------------------------------------------------------

export type MainToConfig =
  | { readonly type: 'ChunkTaken'; readonly generation: number }
  | {
      readonly type: 'Published';
      readonly generation: number;
      /** Empty: every worker serves it. Otherwise nothing was committed. */
      readonly failures: readonly PrepareFailure[];
      /** What the commit did to state that outlives it; absent: nothing was committed. */
      readonly state?: ReloadState;
    }
  | { readonly type: 'Reconcile' }
  /** Introspection: `resources`, `routes`, `upstreams`, `generations`, `explain`, `status`. */
  | { readonly type: 'Query'; readonly id: number; readonly name: string; readonly args: unknown }
  /** `rollback` ({ generation, forMs? }), `resume`: the only ones that change anything. */
  | {
      readonly type: 'Command';
      readonly id: number;
      readonly name: 'rollback' | 'resume';
      readonly args: unknown;
    }
  | { readonly type: 'Stop' };

// ---- main → worker ------------------------------------------------------------------------------------------------

export interface WorkerData {
  readonly workerIndex: number;
  readonly workers: number;
  /** Int32 cell [workerIndex] is raised by the worker several times a second. */
  readonly heartbeat: SharedArrayBuffer;
  /** Where it puts every request that it decides; absent: nowhere. */
  readonly ring?: SharedArrayBuffer;
  readonly settings: WorkerSettings;
}

export interface WorkerSettings {
  readonly logLevel: LogLevel;
  readonly accessLog: boolean;
  readonly accessLogFormat: 'json' | 'pretty';
  readonly modulesDir?: string;
  readonly maxSeries: number;
}

/** Shared memory that belongs to an entry, allocated by main and kept over reloads by the entry's key. */
export type Attachment =
  | { readonly kind: 'Middleware'; readonly key: string; readonly buffer: SharedArrayBuffer }
  | {
      readonly kind: 'Upstream';
      readonly key: string;
      /** One for each endpoint, in the order of the entry. */
      readonly cells: readonly EndpointCells[];
    };

/** Int32 cells from `offset`: [health (1 healthy, 0 not), in flight of worker 0, of worker 1, …]. */
export interface EndpointCells {
  readonly buffer: SharedArrayBuffer;
  readonly offset: number;
}

export interface KeyMaterial {
  /** KeyReference.id */
  readonly id: string;
  readonly version: string;
  /** Absent: not available (yet); whoever needs it fails closed. */
  readonly secret?: Uint8Array;
  /** JSON text of a JWK set. */
  readonly jwks?: string;
  /** Why it is not available. */
  readonly error?: string;
}

export type MainToWorker =
  | { readonly type: 'Chunk'; readonly delta: Delta; readonly attachments: readonly Attachment[] }
  /**
   * With `generation`: all that this candidate needs, before its `Prepare`; gone with `Abort`. Without: newer ones of what is
   * served, by id. `forget`: ids that nothing served needs any more.
   */
  | {
      readonly type: 'Keys';
      readonly materials: readonly KeyMaterial[];
      readonly generation?: number;
      readonly forget?: readonly string[];
    }
  | { readonly type: 'Prepare'; readonly generation: number }
  | { readonly type: 'Commit'; readonly generation: number }
  /** Forget the staged candidate. */
  | { readonly type: 'Abort'; readonly generation: number }
  /** Answer to `RefreshKeys`; the materials came before in `Keys` if they changed. */
  | { readonly type: 'KeysRefreshed'; readonly id: string }
  /** The drain is near: serve on, but let every answer be the last of its connection. */
  | { readonly type: 'WindDown' }
  /** Stop accepting, finish what runs within the time, then answer `Drained`. */
  | { readonly type: 'Drain'; readonly timeoutMs: number };

// ---- worker → main ------------------------------------------------------------------------------------------------

export type WorkerToMain =
  | { readonly type: 'Started' }
  | { readonly type: 'ChunkTaken'; readonly generation: number }
  | { readonly type: 'Prepared'; readonly generation: number; readonly failures: readonly PrepareFailure[] }
  | { readonly type: 'Committed'; readonly generation: number }
  | { readonly type: 'Drained' }
  /** An unknown `kid` was seen: fetch the set again (main limits how often). */
  | { readonly type: 'RefreshKeys'; readonly id: string }
  | { readonly type: 'Log'; readonly records: readonly LogRecord[] }
  /** Access-log lines, each ended by a newline; `dropped`: lines lost to the cap since the last batch. */
  | { readonly type: 'AccessLog'; readonly text: string; readonly dropped: number }
  | { readonly type: 'MetricPage'; readonly page: number; readonly buffer: SharedArrayBuffer }
  | {
      readonly type: 'MetricSeries';
      readonly added: readonly MetricSeries[];
      /** Series ids whose route or upstream has gone. */
      readonly removed: readonly number[];
    };

/** Where a worker keeps one series: the first Float64 slot of it in one of its pages. */
export interface MetricSeries {
  readonly id: number;
  /** Metric name without the `mgateway_` prefix. */
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly page: number;
  readonly slot: number;
}
