export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Asked in turn; at least one. */
  readonly targets: readonly Target[];
  /** Sent with each request: name, value. */
  readonly headers: Readonly<Record<string, string>>;
  /** An empty folder for scratch files. */
  readonly dir: string;
}

export interface Target {
  readonly path: string;
  /** Host field; default: the address. */
  readonly host?: string;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were not 2xx, and connections that broke. */
  readonly failures: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bodyBytes: number;
}
