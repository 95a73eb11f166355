/**
 * What a middleware is: one file with its hooks and, beside them, `decide`, the dry run that says what the hooks would
 * do and consumes nothing. These types are exported by the package (`mgateway/middleware`) for users' own modules.
 */
import type { HeaderList } from '../routing/header-list.ts';
import type { KeyMaterial } from '../snapshot/messages.ts';
import type { KeyReference } from '../snapshot/model.ts';

/** One request on its way through the pipeline. What is not readonly is what will be forwarded. */
export interface Exchange {
  readonly requestId: string;
  /** The client's address through trusted hops, canonical text (IPv4-mapped IPv6 as IPv4). */
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
  readonly method: string;
  /** Lower-case, without port. */
  readonly host: string;
  /** The one normalised path, as matched; percent-encoded. */
  readonly matchedPath: string;
  /** `namespace/name` of the route that won. */
  readonly route: string;
  /** Generation of the table that decides this exchange (G1). */
  readonly generation: number;
  /** Variables of the matched template, percent-encoded as in the path. */
  readonly captures: Readonly<Record<string, string>>;
  /** The prefix of the match that won (`/users`), where it was a prefix match. */
  readonly matchedPrefix: string | undefined;
  /** Path to forward, percent-encoded, beginning with `/`. */
  path: string;
  /** Query to forward without `?`; empty: none. */
  query: string;
  /** Fields to forward; hop-by-hop fields are already gone. */
  readonly requestHeaders: HeaderList;
  /** Verified token claims, set by `jwt`. */
  claims: Readonly<Record<string, unknown>> | undefined;
}

/** The response on its way back; hooks change it in place. */
export interface ResponseHead {
  status: number;
  /** Hop-by-hop fields are already gone. */
  readonly headers: HeaderList;
}

/** The gateway's own answer, sent as `application/problem+json` (RFC 9457) with `code` and `requestId`. */
export interface LocalReply {
  readonly status: number;
  /** Stable, documented in docs/errors.md: `ERR_…`. */
  readonly code: string;
  /** Shown to the client: never an internal message (G10). */
  readonly detail: string;
  /** `reason` label of `middleware_rejections_total`: few, fixed words in snake_case. */
  readonly reason: string;
  /** Further fields: name, value, … */
  readonly headers?: readonly string[];
}

/** Nothing waits: no promise (a hook returns synchronously wherever it can). */
export type HookResult = LocalReply | undefined | Promise<LocalReply | undefined>;

/** What a hook would do, said without doing it. */
export interface Decision {
  /** `unknown`: cannot be told dry (a user's module, a key that is not there). */
  readonly outcome: 'continue' | 'reply' | 'unknown';
  readonly reply?: LocalReply;
  /** In words, for `explain`: `sets x-gateway: edge`. */
  readonly notes: readonly string[];
}

export interface Middleware {
  /** May change the exchange; a LocalReply ends the request phase. */
  readonly request?: (exchange: Exchange) => HookResult;
  /** Runs in reverse order for the upstream's answer and for local replies alike. */
  readonly response?: (exchange: Exchange, response: ResponseHead) => void | Promise<void>;
  /**
   * Takes out of the trailers of a request what they must not bring back: a server may merge them into the head, which
   * the hook has seen long before they came.
   */
  readonly requestTrailers?: (trailers: HeaderList) => void;
  /** The same for what comes beside a response head without passing its hook: its trailers, and interim answers (103). */
  readonly responseExtras?: (fields: HeaderList) => void;
  /**
   * Dry run: `exchange` is a probe that later middlewares see too, so path, query and headers are changed as the hook
   * would; no token is consumed and nothing outside is touched. `exchange.claims` set beforehand stands in for a token.
   */
  readonly decide: (exchange: Exchange) => Decision | Promise<Decision>;
  /** Called once, when no exchange can use this instance any more. */
  readonly close?: () => void;
}

/** Key bytes for middlewares; kept up to date by the main thread. */
export interface KeySource {
  get(id: string): KeyMaterial | undefined;
  /** Asks for a newer key set (unknown `kid`); resolves when it came or was refused. */
  refresh(id: string): Promise<void>;
}

/** What a middleware gets when the table is built. */
export interface BuildContext {
  /** Identity of this instance, see Entry.key. */
  readonly key: string;
  /** `namespace/name` or `<namespace>/<route>#<type>.<n>`. */
  readonly name: string;
  readonly references: readonly KeyReference[];
  readonly keys: KeySource;
  /** Shared memory asked for by `sharedBytes`, kept over reloads; absent in dry runs. */
  readonly shared: SharedArrayBuffer | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Under which users' modules live; absent: they are refused. */
  readonly modulesDir: string | undefined;
}

/** A problem that the schema cannot see; `path` is relative to the middleware's block. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** A built-in middleware: `Config` is its block as validated by its schema, defaults filled in. */
export interface MiddlewareDefinition<Config = unknown> {
  /** The key in YAML. */
  readonly type: string;
  /** It may refuse requests: whoever reaches the same resource by a route without it has got past it. */
  readonly guards?: true;
  /** Finds what the schema cannot; pure. */
  readonly check?: (config: Config) => readonly ConfigProblem[];
  /** Secrets and key sets the block names (versions are filled in by the controller). */
  readonly keys?: (config: Config) => readonly Omit<KeyReference, 'version'>[];
  /** Files it loads, below the modules directory: an edit of one makes it a new definition. */
  readonly files?: (config: Config) => readonly string[];
  /** Shared memory, where state is common to all workers. */
  readonly shared?: SharedState<Config>;
  /** Builds the instance once per table; throws to refuse (G4). A promise only where something must be loaded. */
  readonly create: (config: Config, context: BuildContext) => Middleware | Promise<Middleware>;
  /** Where `create` runs what a dry run must not (a user's code): the `decide` of dry runs, made without it. */
  readonly dry?: (config: Config) => Middleware['decide'];
}

export interface SharedState<Config> {
  readonly bytes: (config: Config) => number;
  /** Called once on fresh memory. */
  readonly init: (memory: SharedArrayBuffer, config: Config) => void;
  /**
   * The definition changed: adapt the memory in place (`scale`), or say that it must be replaced (`drop`); `keep` if
   * the change does not touch the state.
   */
  readonly change: (memory: SharedArrayBuffer, from: Config, to: Config) => 'keep' | 'scale' | 'drop';
}

// ---- a module of a user's own ------------------------------------------------------------------------------------------

/** The default export: called once for each definition and worker, before it is served. Throwing refuses it. */
export type MiddlewareFactory<Options = Readonly<Record<string, unknown>>> = (
  options: Options,
  context: ModuleContext,
) => ModuleMiddleware | Promise<ModuleMiddleware>;

export interface ModuleContext {
  /** `namespace/name` of the resource, or of the route and its place there. */
  readonly name: string;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * The hooks. Return synchronously where nothing waits. A hook that throws, or leaves something that cannot be sent (a
 * line break in a header), makes the answer 500 `ERR_MIDDLEWARE_FAILED`.
 */
export interface ModuleMiddleware {
  /** May change path, query, headers and claims; a reply ends the request phase. */
  request?(exchange: Exchange): ModuleReply | undefined | void | Promise<ModuleReply | undefined | void>;
  /** Runs for the upstream's answer and for the gateway's own ones. */
  response?(exchange: Exchange, response: ResponseHead): void | Promise<void>;
  /** Called once, when no exchange can use it any more. */
  close?(): void;
}

/** An answer, sent as `application/problem+json` (RFC 9457). */
export interface ModuleReply {
  /** 200 to 599. */
  readonly status: number;
  /** For programs: `A-Z`, digits and `_`; default `ERR_MODULE_REPLY`. */
  readonly code?: string;
  /** For people. */
  readonly detail?: string;
  /** `reason` label of `middleware_rejections_total`, in snake_case; one of a few fixed words. Default `module`. */
  readonly reason?: string;
  /** Further fields: name, value, … */
  readonly headers?: readonly string[];
}
