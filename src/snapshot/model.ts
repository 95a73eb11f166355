/**
 * The contract between the threads: what is served, as plain data.
 *
 * A snapshot is a numbered set of entries. An entry travels to workers as JSON text, so that it cannot be changed by
 * anyone (G2) and is cheap to pass between threads. Where entries are only kept, in the config thread and in main, they rest
 * packed (`packed-entries.ts`): bytes in memory that both share and nobody writes again.
 * Durations are milliseconds, sizes are bytes. Secrets never appear: only references to them with a version.
 */

/** What an entry describes; also the first part of its key. */
export type EntryKind = 'Edge' | 'Listener' | 'Upstream' | 'Middleware' | 'Route';

/**
 * One resource as served. `key` is its identity over generations (state is kept by it):
 * - `Edge` (one), `Listener/<name>`
 * - `Upstream/<namespace>/<name>`, inline: `Upstream/<origin of its url>`
 * - `Middleware/<namespace>/<name>`; with `scope: route` one per user: `Middleware/<namespace>/<name>@<ns>/<route>`;
 *   inline in a route: `Middleware/<ns>/<route>#<type>.<n-th of that type>`; inline in a Gateway: `Middleware/Gateway/<ns>/<gateway>#<type>.<n>`
 * - `Route/<namespace>/<name>`
 */
export interface Entry {
  readonly key: string;
  /** Hash of `json`: equal hashes mean equal definitions. */
  readonly hash: string;
  /** JSON of the `…Snapshot` interface of the key's kind. */
  readonly json: string;
}

/** Entries to add or replace and keys to drop, relative to generation `base` (0: nothing). */
export interface Delta {
  readonly generation: number;
  readonly base: number;
  readonly set: readonly Entry[];
  readonly removed: readonly string[];
}

/** What holds for all routes: the merged Gateways. */
export interface EdgeSnapshot {
  /** CIDR blocks and addresses whose forwarding headers are believed. */
  readonly trustedProxies: readonly string[];
  /** Middleware keys run before those of every matched route, in order. */
  readonly middlewares: readonly string[];
  readonly limits: EdgeLimits;
  /** Name of a response header that carries the generation, if asked for. */
  readonly generationHeader?: string;
  /** Set when a Gateway-wide middleware is missing: every route answers 503 `ERR_ROUTE_NOT_SECURED`. */
  readonly unsecured?: string;
}

export interface EdgeLimits {
  readonly requestHeadBytes: number;
  readonly requestTargetBytes: number;
  readonly requestHeaderFields: number;
  /** 0: unlimited. */
  readonly requestBodyBytes: number;
  /** Open client connections a listener and worker; 0: unlimited. */
  readonly connections: number;
  readonly headTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly bodyIdleTimeoutMs: number;
}

export interface ListenerSnapshot {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export type BalancerStrategy = 'RoundRobin' | 'LeastRequest' | 'Random';

export interface UpstreamSnapshot {
  /** Metric label: `namespace/name`, inline: the origin. */
  readonly name: string;
  readonly endpoints: readonly EndpointSnapshot[];
  readonly strategy: BalancerStrategy;
  readonly healthCheck?: HealthCheckSnapshot;
  readonly connectTimeoutMs: number;
  /** How long an idle connection is kept for reuse. */
  readonly keepAliveTimeoutMs: number;
  /** Open connections for each endpoint and worker. */
  readonly maxConnections: number;
  /** Open WebSockets for each endpoint and worker; absent: no limit. */
  readonly maxWebSockets?: number;
}

export interface EndpointSnapshot {
  /** Origin, e.g. `http://10.0.0.1:8080`; the endpoint's identity inside its upstream and its metric label. */
  readonly url: string;
  readonly tls: boolean;
  /** Host to connect to (no brackets around IPv6). */
  readonly host: string;
  readonly port: number;
  /** 0: gets nothing. */
  readonly weight: number;
}

export interface HealthCheckSnapshot {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive good answers that make an endpoint healthy, bad ones that make it unhealthy. */
  readonly healthy: number;
  readonly unhealthy: number;
  /** Host header of the check; default: the endpoint's own. */
  readonly host?: string;
}

export interface MiddlewareSnapshot {
  /** Metric label: `namespace/name`, inline: `<namespace>/<route>#<type>.<n>`. */
  readonly name: string;
  /** Registry name: the key used in YAML, e.g. `rateLimit`. */
  readonly type: string;
  /** The validated block as written, defaults filled in. */
  readonly config: unknown;
  /** Secrets and key sets it uses, by reference, in the order of the config. */
  readonly keys: readonly KeyReference[];
  /** Version of the content of each file that it loads besides (a module), so that an edit makes it another definition. */
  readonly fileVersions?: readonly string[];
}

/** Where key bytes come from. `id` is equal for equal sources; a new `version` says that the content changed. */
export interface KeyReference {
  readonly id: string;
  readonly version: string;
  readonly kind: 'Secret' | 'Jwks';
  readonly source:
    | { readonly file: string }
    | { readonly env: string }
    | { readonly url: string }
    | { readonly inline: string };
  readonly encoding?: 'Utf8' | 'Base64Url';
}

export interface RouteSnapshot {
  /** `namespace/name`: metric label. */
  readonly name: string;
  readonly priority: number;
  /** Listener names; absent: all. */
  readonly listeners?: readonly string[];
  /** Lower-case; `*.example.org` stands for one or more labels; empty: any host. */
  readonly hostnames: readonly string[];
  readonly matches: readonly MatchSnapshot[];
  /** Middleware keys in the order written (Gateway-wide ones are in EdgeSnapshot and run before). */
  readonly middlewares: readonly string[];
  /** Places in `middlewares` of those that may refuse a request; absent: none does. */
  readonly guards?: readonly number[];
  readonly upstreams: readonly UpstreamShare[];
  /** Set when a middleware is missing and no last good version exists: answers 503 `ERR_ROUTE_NOT_SECURED`. */
  readonly unsecured?: string;
  /** `namespace/name` of the Guard that is the reason for `unsecured`: then the code is `ERR_ROUTE_GUARDED`. */
  readonly guard?: string;
  readonly hostHeader: 'Preserve' | 'Upstream';
  readonly timeouts: {
    /** Whole exchange; 0: none. */
    readonly requestMs: number;
    /** From the request sent to the response head; 0: none. */
    readonly attemptMs: number;
    /** No byte of a body in either direction for this long. */
    readonly idleMs: number;
    /** No byte of an open WebSocket in either direction for this long; 0: none; absent: an hour. */
    readonly webSocketMs?: number;
  };
  readonly drainMs: number;
}

/** `key` null: the upstream does not exist; this share answers 503. */
export interface UpstreamShare {
  readonly key: string | null;
  readonly weight: number;
}

export interface MatchSnapshot {
  /** Absent: any path. */
  readonly path?: PathMatch;
  /** Literal methods; empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
}

export type PathMatch = { readonly type: 'Exact' | 'Prefix' | 'Template' | 'Regex'; readonly value: string };

/** `name` lower-case for headers, as written for query parameters; `value` unused for Present. */
export interface ValueMatch {
  readonly name: string;
  readonly type: 'Exact' | 'Prefix' | 'Regex' | 'Present';
  readonly value: string;
}
