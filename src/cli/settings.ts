import type { LogLevel } from '../snapshot/messages.ts';

/** How the program was started. What users write into files is `resources`; what is served is `snapshot`. */
export interface Settings {
  /** Files and directories of resources, as given. */
  readonly config: readonly string[];
  /** `HOST:PORT`; port 0: any free one. */
  readonly admin: string;
  /** Holds the bearer token of the admin address; undefined: nothing can be changed there. */
  readonly adminTokenFile: string | undefined;
  /** What is read at the admin address needs no token, wherever it listens. */
  readonly adminOpenReads: boolean;
  /** Probes and metrics again, for callers that cannot reach the loopback address. */
  readonly probes: string | undefined;
  /** Data-plane workers. */
  readonly workers: number;
  /** Under which users' modules may live; undefined: none are loaded. */
  readonly modulesDir: string | undefined;
  /** Where the last accepted documents are kept over restarts; undefined: nowhere. */
  readonly stateDir: string | undefined;
  /** Files and directories of a second configuration, which live traffic is compared with; none: nothing is. */
  readonly shadow: readonly string[];
  /** Any problem at start ends the program. */
  readonly strict: boolean;
  /** Larger files of resources are not read. */
  readonly maxFileBytes: number;
  /** Of each directory no more files are read. */
  readonly maxFiles: number;
  readonly logLevel: LogLevel;
  /** undefined: pretty on a terminal, else JSON. */
  readonly logFormat: 'json' | 'pretty' | undefined;
  readonly accessLog: boolean;
  /** How long a stopping gateway still takes new connections, not ready any more. */
  readonly shutdownDelayMs: number;
  /** How long it then waits for what is under way. */
  readonly drainTimeoutMs: number;
}
