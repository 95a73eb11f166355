// Generated from schemas/ by scripts/generate.mjs. Do not edit.

/** Identity; further fields (labels, annotations, …) are kept and ignored. */
export interface ResourceMetadata {
  /** Unique for its kind and namespace. */
  readonly name: string;
  /** Names refer to resources of the same namespace. Default: `"default"`. */
  readonly namespace: string;
  readonly [field: string]: unknown;
}

/** Lets requests with a valid bearer token pass (one `Authorization: Bearer` field, at most 8 KiB); others get 401, or 503 while keys are not available. */
export interface JwtConfig {
  /** Who may have signed the token. */
  readonly issuers: readonly {
    /** The `iss` claim. A token is verified with the keys of the issuer that it names, and no others. */
    readonly issuer: string;
    /** One of them must be in `aud`; none: any. Default: `[]`. */
    readonly audiences: readonly string[];
    /** Public keys as a JWK set (RFC 7517). */
    readonly jwks?: {
      /** Fetched and refreshed by the gateway. */
      readonly url?: string;
      /** Path; read again when it changes. */
      readonly file?: string;
      /** The JWK set as JSON text. */
      readonly inline?: string;
    };
    /** The shared secret of HS256, HS384, HS512. */
    readonly secret?: {
      /** Environment variable that holds it. */
      readonly env?: string;
      /** Path; read again when it changes. One trailing newline is dropped. */
      readonly file?: string;
      /** How its text stands for bytes. Default: `"Utf8"`. */
      readonly encoding: 'Utf8' | 'Base64Url';
    };
    /** Accepted `alg` values: HS* with a secret (at least as long as the hash), the others with jwks. Absent: all that fit the kind of key. */
    readonly algorithms?: readonly ('HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA')[];
    /** How far clocks may differ for `exp` and `nbf`. A token without `exp` does not expire. Default: `"0s"`. */
    readonly leeway: string;
  }[];
  /** Claim → request header for the upstream; `a.b` is `b` inside `a`, if no claim is called `a.b`. Numbers, lists and objects as JSON. The same headers from the client are always removed, with `_` for `-` too, and as trailers. A token whose claim cannot be sent unchanged (line breaks, blanks around it) gets 401. Default: `{}`. */
  readonly claimsToHeaders: Readonly<Record<string, string>>;
  /** What the claims must say; else 403. Default: `{}`. */
  readonly require: {
    /** Claim → condition; names as in `claimsToHeaders`. Default: `{}`. */
    readonly claims: Readonly<Record<string, {
      /** The claim is a list, or a string of words parted by blanks, that has this. */
      readonly contains?: string;
      /** The claim is this string, or the number or boolean that it spells. */
      readonly equals?: string;
    }>>;
  };
}

/** A middleware of your own: an ES module under `--modules-dir`. Trailers of requests that pass a request hook are dropped, since nobody knows what it decides about. */
export interface ModuleConfig {
  /** Path below the modules directory. */
  readonly path: string;
  /** Handed to the module as it is. Default: `{}`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Changes the query parameters that the upstream sees: first remove, then rename, set, add. */
export interface QueryConfig {
  /** Parameter → value: one of this name, with this value. Default: `{}`. */
  readonly set: Readonly<Record<string, string>>;
  /** Parameter → value: one more. Default: `{}`. */
  readonly add: Readonly<Record<string, string>>;
  /** Parameters that go. Default: `[]`. */
  readonly remove: readonly string[];
  /** Old → new name; values stay. Where the old one is there, it takes the place of what had the new name. Default: `{}`. */
  readonly rename: Readonly<Record<string, string>>;
}

/** A token bucket for each key; a request that finds it empty gets 429. */
export interface RateLimitConfig {
  /** Tokens that come back in each `per`. */
  readonly requests: number;
  /** The time in which `requests` tokens come back: 1ms to 24h. */
  readonly per: string;
  /** Capacity of the bucket; absent: `requests`. */
  readonly burst?: number;
  /** What requests that share a bucket have in common. One part may be written without the list. Default: `[{"clientAddress":{}}]`. */
  readonly key: readonly {
    /** A claim of the verified token (a `jwt` must run before). */
    readonly claim?: string;
    /** A request header. */
    readonly header?: string;
    /** A cookie. */
    readonly cookie?: string;
    /** The client's address through trusted proxies; IPv6 by /64. */
    readonly clientAddress?: Readonly<Record<string, never>>;
    /** The route. */
    readonly route?: Readonly<Record<string, never>>;
  }[];
  /** A part of the key is missing: refuse the request with 403, use the client's address instead, or do not limit it. Default: `"Reject"`. */
  readonly onMissingKey: 'Reject' | 'Address' | 'Skip';
  /** Which answers carry `RateLimit` and `RateLimit-Policy`: only the 429, or all. Default: `"OnLimit"`. */
  readonly headers: 'OnLimit' | 'Always';
}

/** Changes the headers that the upstream sees: first remove, then rename, set, add. A client's fields of the same names with `_` for `-`, and its trailers of these names, always go. */
export interface RequestHeadersConfig {
  /** Header → value: one field of this name, with this value. `host` can be set, but not removed, renamed or added. Default: `{}`. */
  readonly set: Readonly<Record<string, string>>;
  /** Header → value: one more field. Default: `{}`. */
  readonly add: Readonly<Record<string, string>>;
  /** Headers that go. Default: `[]`. */
  readonly remove: readonly string[];
  /** Old → new name; values stay. Where the old one is there, it takes the place of what had the new name. Default: `{}`. */
  readonly rename: Readonly<Record<string, string>>;
}

/** Changes the headers that the client sees: first remove, then rename, set, add. Trailers and interim answers (103) lose all fields of these names. */
export interface ResponseHeadersConfig {
  /** Header → value: one field of this name, with this value. Default: `{}`. */
  readonly set: Readonly<Record<string, string>>;
  /** Header → value: one more field. Default: `{}`. */
  readonly add: Readonly<Record<string, string>>;
  /** Headers that go. Default: `[]`. */
  readonly remove: readonly string[];
  /** Old → new name; values stay. Where the old one is there, it takes the place of what had the new name. Default: `{}`. */
  readonly rename: Readonly<Record<string, string>>;
}

/** Changes the path that the upstream sees. */
export interface RewriteConfig {
  /** Whole segments taken from the start of the path, however a request spells them: what a `prefix` of the same text matches. A path that does not begin with them stays. */
  readonly stripPrefix?: string;
  /** Whole segments at the start of the path, exchanged for others. */
  readonly replacePrefix?: {
    /** What to take. */
    readonly prefix: string;
    /** What to put there. */
    readonly with: string;
  };
  /** The new path; `{name}` stands for a variable of the matched template. */
  readonly path?: string;
}

/** What is served where. */
export interface GatewaySpec {
  /** Ports to accept connections on. Default: `[]`. */
  readonly listeners: readonly {
    /** Routes refer to it. */
    readonly name: string;
    /** TCP port. */
    readonly port: number;
    /** IP address to bind. Default: `"0.0.0.0"`. */
    readonly address: string;
  }[];
  /** Whose `X-Forwarded-*`, `Forwarded`, `X-Real-IP`, `X-Original-URL`, `X-Rewrite-URL` and `x-request-id` fields are believed; those of others are replaced or dropped. Default: `[]`. */
  readonly trustedProxies: readonly string[];
  /** Run for every matched route, before its own, in the order written. Default: `[]`. */
  readonly middlewares: readonly {
    /** A Middleware of the same namespace. */
    readonly name?: string;
    /** Lets requests with a valid bearer token pass (one `Authorization: Bearer` field, at most 8 KiB); others get 401, or 503 while keys are not available. */
    readonly jwt?: JwtConfig;
    /** A middleware of your own: an ES module under `--modules-dir`. Trailers of requests that pass a request hook are dropped, since nobody knows what it decides about. */
    readonly module?: ModuleConfig;
    /** Changes the query parameters that the upstream sees: first remove, then rename, set, add. */
    readonly query?: QueryConfig;
    /** A token bucket for each key; a request that finds it empty gets 429. */
    readonly rateLimit?: RateLimitConfig;
    /** Changes the headers that the upstream sees: first remove, then rename, set, add. A client's fields of the same names with `_` for `-`, and its trailers of these names, always go. */
    readonly requestHeaders?: RequestHeadersConfig;
    /** Changes the headers that the client sees: first remove, then rename, set, add. Trailers and interim answers (103) lose all fields of these names. */
    readonly responseHeaders?: ResponseHeadersConfig;
    /** Changes the path that the upstream sees. */
    readonly rewrite?: RewriteConfig;
  }[];
  /** What a client may send. Default: `{}`. */
  readonly limits: {
    /** Bytes of a request head; more: 431. Default: `"16KiB"`. */
    readonly requestHeaders: string;
    /** Bytes of a request target; more: 414. Default: `"8KiB"`. */
    readonly requestTarget: string;
    /** Fields of a request head; more: 431. Default: `100`. */
    readonly headerFields: number;
    /** Bytes of a request body; more: 413. 0: unlimited. Default: `"0"`. */
    readonly requestBody: string;
    /** Open client connections for each listener and worker. 0: unlimited. Default: `0`. */
    readonly connections: number;
  };
  /** How long a client may take. Default: `{}`. */
  readonly timeouts: {
    /** From the first byte of a request to the end of its head. Default: `"10s"`. */
    readonly requestHead: string;
    /** Idle between two requests of a connection. Default: `"75s"`. */
    readonly keepAlive: string;
    /** Without a byte of a body in either direction. Default: `"60s"`. */
    readonly idleBody: string;
  };
  /** Response header that names the generation of the configuration that served the request; absent: none. */
  readonly generationHeader?: string;
}

/** Where clients connect, and what holds for all routes. Several Gateways merge. */
export interface GatewayResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'Gateway';
  readonly metadata: ResourceMetadata;
  readonly spec: GatewaySpec;
}

/** Conditions, middlewares and upstreams. */
export interface RouteSpec {
  /** Higher wins over every other rule of precedence. Default: `0`. */
  readonly priority: number;
  /** Checked, but not served. Default: `false`. */
  readonly disabled: boolean;
  /** Names of listeners; absent: all. */
  readonly listeners?: readonly string[];
  /** Lower-case; `*.` stands for one or more labels; none: any host. Default: `[]`. */
  readonly hostnames: readonly string[];
  /** The route matches when one of these does; none: every path. Default: `[]`. */
  readonly matches: readonly {
    /** A condition on the normalised path. */
    readonly path?: {
      /** The whole path. `/a` is not `/a/`, which many servers take for the same: where the one is guarded, the other is refused (400) unless a route names it. A `prefix` stands for both. */
      readonly exact?: string;
      /** Whole segments from the start: `/users` matches `/users` and `/users/7`, never `/users2`. */
      readonly prefix?: string;
      /** Segments, of which `{name}` stands for any one: `/users/{id}`. */
      readonly template?: string;
      /** The whole path (RE2 syntax). */
      readonly regex?: string;
    };
    /** Literal; GET does not imply HEAD. None: any. Default: `[]`. */
    readonly methods: readonly string[];
    /** Conditions on request headers. Default: `[]`. */
    readonly headers: readonly {
      /** Header name; case does not matter. */
      readonly name: string;
      /** Equal to. */
      readonly exact?: string;
      /** Begins with. */
      readonly prefix?: string;
      /** Matches in full (RE2 syntax). */
      readonly regex?: string;
      /** Is there, whatever its value. */
      readonly present?: true;
    }[];
    /** Conditions on query parameters. Default: `[]`. */
    readonly query: readonly {
      /** Parameter name, as decoded. */
      readonly name: string;
      /** Equal to. */
      readonly exact?: string;
      /** Begins with. */
      readonly prefix?: string;
      /** Matches in full (RE2 syntax). */
      readonly regex?: string;
      /** Is there, whatever its value. */
      readonly present?: true;
    }[];
  }[];
  /** Run in the order written, on the way back in reverse. Default: `[]`. */
  readonly middlewares: readonly {
    /** A Middleware of the same namespace. */
    readonly name?: string;
    /** Lets requests with a valid bearer token pass (one `Authorization: Bearer` field, at most 8 KiB); others get 401, or 503 while keys are not available. */
    readonly jwt?: JwtConfig;
    /** A middleware of your own: an ES module under `--modules-dir`. Trailers of requests that pass a request hook are dropped, since nobody knows what it decides about. */
    readonly module?: ModuleConfig;
    /** Changes the query parameters that the upstream sees: first remove, then rename, set, add. */
    readonly query?: QueryConfig;
    /** A token bucket for each key; a request that finds it empty gets 429. */
    readonly rateLimit?: RateLimitConfig;
    /** Changes the headers that the upstream sees: first remove, then rename, set, add. A client's fields of the same names with `_` for `-`, and its trailers of these names, always go. */
    readonly requestHeaders?: RequestHeadersConfig;
    /** Changes the headers that the client sees: first remove, then rename, set, add. Trailers and interim answers (103) lose all fields of these names. */
    readonly responseHeaders?: ResponseHeadersConfig;
    /** Changes the path that the upstream sees. */
    readonly rewrite?: RewriteConfig;
  }[];
  /** Where requests go, in proportion to the weights. */
  readonly upstreams: readonly {
    /** An Upstream of the same namespace. */
    readonly name?: string;
    /** An endpoint of its own: `http://host:port`, without a path. */
    readonly url?: string;
    /** Share of the requests; 0: none. Default: `1`. */
    readonly weight: number;
  }[];
  /** The `Host` that the upstream sees: the client's, or the endpoint's own. Default: `"Preserve"`. */
  readonly hostHeader: 'Preserve' | 'Upstream';
  /** How long the upstream may take. Default: `{}`. */
  readonly timeouts: {
    /** The whole exchange; 0: no limit. Default: `"0"`. */
    readonly request: string;
    /** From the request sent to the response head; 0: no limit. Default: `"0"`. */
    readonly attempt: string;
    /** Without a byte of a body in either direction; 0: no limit. Default: `"60s"`. */
    readonly idle: string;
    /** An open WebSocket without a byte in either direction, pings included, is closed with 1001; 0: no limit. Default: `"1h"`. */
    readonly webSocket: string;
  };
  /** How long streams may go on after their route has gone. Default: `"30s"`. */
  readonly drain: string;
}

/** Which requests go where, and what happens to them on the way. */
export interface RouteResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'Route';
  readonly metadata: ResourceMetadata;
  readonly spec: RouteSpec;
}

/** Endpoints and how they are used. */
export interface UpstreamSpec {
  /** The addresses of the service. */
  readonly endpoints: readonly {
    /** `http://host:port` or `https://host:port`, without a path. */
    readonly url: string;
    /** Share of the requests; 0: none. Default: `1`. */
    readonly weight: number;
  }[];
  /** Which endpoint gets the next request. Default: `{}`. */
  readonly loadBalancer: {
    /** How the endpoint is chosen. Default: `"RoundRobin"`. */
    readonly strategy: 'RoundRobin' | 'LeastRequest' | 'Random';
  };
  /** Asks every endpoint in turn; absent: all count as healthy. */
  readonly healthCheck?: {
    /** Path of the request; 2xx and 3xx are good. */
    readonly path: string;
    /** From one check to the next. Default: `"5s"`. */
    readonly interval: string;
    /** For the whole answer. Default: `"1s"`. */
    readonly timeout: string;
    /** Good answers in a row that make an endpoint healthy. Default: `2`. */
    readonly healthy: number;
    /** Bad answers in a row that make it unhealthy. Default: `3`. */
    readonly unhealthy: number;
    /** `Host` of the check; absent: the endpoint's own. */
    readonly host?: string;
  };
  /** Connections to the endpoints. Default: `{}`. */
  readonly timeouts: {
    /** To open a connection, TLS included, or to wait for a free one; then another endpoint is tried, up to three in all. Default: `"5s"`. */
    readonly connect: string;
    /** How long an idle connection is kept; shorter than the upstream keeps it. Default: `"4s"`. */
    readonly keepAlive: string;
  };
  /** Open connections for each endpoint and worker: all workers together open up to as many times that. Further requests wait for one, as long as `connect` allows. WebSockets have connections of their own: see `maxWebSockets`. Default: `256`. */
  readonly maxConnections: number;
  /** Open WebSockets for each endpoint and worker. One more goes to another endpoint or is answered 503 `ERR_UPSTREAM_BUSY`: none waits, for that may take hours. Without it there is no limit. */
  readonly maxWebSockets?: number;
}

/** A service: its endpoints, and how they are used. */
export interface UpstreamResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'Upstream';
  readonly metadata: ResourceMetadata;
  readonly spec: UpstreamSpec;
}

/** Exactly one middleware. */
export interface MiddlewareSpec {
  /** State such as a token bucket: one for all users of this resource, or one for each Route that uses it. Default: `"Shared"`. */
  readonly scope: 'Shared' | 'Route';
  /** Lets requests with a valid bearer token pass (one `Authorization: Bearer` field, at most 8 KiB); others get 401, or 503 while keys are not available. */
  readonly jwt?: JwtConfig;
  /** A middleware of your own: an ES module under `--modules-dir`. Trailers of requests that pass a request hook are dropped, since nobody knows what it decides about. */
  readonly module?: ModuleConfig;
  /** Changes the query parameters that the upstream sees: first remove, then rename, set, add. */
  readonly query?: QueryConfig;
  /** A token bucket for each key; a request that finds it empty gets 429. */
  readonly rateLimit?: RateLimitConfig;
  /** Changes the headers that the upstream sees: first remove, then rename, set, add. A client's fields of the same names with `_` for `-`, and its trailers of these names, always go. */
  readonly requestHeaders?: RequestHeadersConfig;
  /** Changes the headers that the client sees: first remove, then rename, set, add. Trailers and interim answers (103) lose all fields of these names. */
  readonly responseHeaders?: ResponseHeadersConfig;
  /** Changes the path that the upstream sees. */
  readonly rewrite?: RewriteConfig;
}

/** Something that happens to requests and responses, to be used by name. */
export interface MiddlewareResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'Middleware';
  readonly metadata: ResourceMetadata;
  readonly spec: MiddlewareSpec;
}

/** A request and what is expected of it. */
export interface RouteTestSpec {
  /** The request; nothing is sent. */
  readonly request: {
    /** HTTP method. Default: `"GET"`. */
    readonly method: string;
    /** Absolute URL; its port does not matter, and routes of all listeners are considered. */
    readonly url: string;
    /** Request headers by name. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Claims that stand in for a verified token: `jwt` accepts them as if they came in one. */
    readonly claims?: Readonly<Record<string, unknown>>;
  };
  /** What must hold; only what is given is checked. */
  readonly expect: {
    /** The route that takes the request. */
    readonly route?: string;
    /** Exactly the upstreams that can get it: names, `NAMESPACE/NAME`, or the origins of inline ones. */
    readonly upstreams?: readonly string[];
    /** Status of the gateway's own answer (401, 404, …); a request that is forwarded has none. */
    readonly status?: number;
    /** Path as it is forwarded; with a `?`, also the query. */
    readonly path?: string;
    /** Fields as the upstream gets them; where the gateway answers, fields of its answer. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Fields that must not be there. */
    readonly absentHeaders?: readonly string[];
    /** The middleware that answers: its name, `NAMESPACE/NAME`, or its type. */
    readonly answeredBy?: string;
  };
}

/** An assertion about one request, checked before every change is served. A change for which it fails is refused if it holds for what is served; a test that fails for both is itself refused. At the first start it is only reported. Limits and modules of users are passed by. */
export interface RouteTestResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'RouteTest';
  readonly metadata: ResourceMetadata;
  readonly spec: RouteTestSpec;
}

/** Which routes, and what they must have. */
export interface GuardSpec {
  /** All conditions must hold; none: every route of every namespace. Default: `{}`. */
  readonly routes: {
    /** Routes that can match a path under this prefix; a regular expression can, unless the text that it begins with excludes it. */
    readonly pathPrefix?: string;
    /** Routes that can match one of these hosts; a route without hostnames can match all. */
    readonly hostnames?: readonly string[];
    /** These routes, by name (in the Guard's namespace) or as `NAMESPACE/NAME`. */
    readonly names?: readonly string[];
    /** Routes of these namespaces. */
    readonly namespaces?: readonly string[];
  };
  /** What each of these routes must have. */
  readonly require: {
    /** A middleware of this type, its own or one of a Gateway. */
    readonly middleware?: string;
    /** True: `timeouts.request` or `timeouts.attempt` limits how long the upstream may take. */
    readonly timeout?: boolean;
    /** True: the route names its hosts; neither `*.` nor any host. */
    readonly noWildcardHost?: boolean;
  };
}

/** An invariant over routes. A route that violates it is not served: its last good version is, if that complies, else it answers 503 `ERR_ROUTE_GUARDED`. */
export interface GuardResource {
  readonly apiVersion: 'mgateway.dev/v1alpha1';
  readonly kind: 'Guard';
  readonly metadata: ResourceMetadata;
  readonly spec: GuardSpec;
}

export type Resource = GatewayResource | RouteResource | UpstreamResource | MiddlewareResource | RouteTestResource | GuardResource;
