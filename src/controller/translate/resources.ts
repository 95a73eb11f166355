/**
 * Resources as they come out of validation: defaults filled in, nothing unknown, formats checked. The same shapes as in
 * schemas/, with what has a default not optional.
 */

/** `{ name }`, or `{ <type>: config }`. */
export type MiddlewareUse = Readonly<Record<string, unknown>>;

export interface GatewayResource {
  readonly kind: 'Gateway';
  readonly spec: {
    readonly listeners: readonly { readonly name: string; readonly port: number; readonly address: string }[];
    readonly trustedProxies: readonly string[];
    readonly middlewares: readonly MiddlewareUse[];
    readonly limits: {
      readonly requestHeaders: string;
      readonly requestTarget: string;
      readonly headerFields: number;
      readonly requestBody: string;
      readonly connections: number;
    };
    readonly timeouts: { readonly requestHead: string; readonly keepAlive: string; readonly idleBody: string };
    readonly generationHeader?: string;
  };
}

export interface ValueCondition {
  readonly name: string;
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
  readonly present?: boolean;
}

export interface MatchResource {
  readonly path?: {
    readonly exact?: string;
    readonly prefix?: string;
    readonly template?: string;
    readonly regex?: string;
  };
  readonly methods: readonly string[];
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];
}

export interface UpstreamUse {
  readonly name?: string;
  readonly url?: string;
  readonly weight: number;
}

export interface RouteResource {
  readonly kind: 'Route';
  readonly spec: {
    readonly priority: number;
    readonly disabled: boolean;
    readonly listeners?: readonly string[];
    readonly hostnames: readonly string[];
    readonly matches: readonly MatchResource[];
    readonly middlewares: readonly MiddlewareUse[];
    readonly upstreams: readonly UpstreamUse[];
    readonly hostHeader: 'Preserve' | 'Upstream';
    readonly timeouts: { readonly request: string; readonly attempt: string; readonly idle: string };
    readonly drain: string;
  };
}

export interface UpstreamResource {
  readonly kind: 'Upstream';
  readonly spec: {
    readonly endpoints: readonly { readonly url: string; readonly weight: number }[];
    readonly loadBalancer: { readonly strategy: 'RoundRobin' | 'LeastRequest' | 'Random' };
    readonly healthCheck?: {
      readonly path: string;
      readonly interval: string;
      readonly timeout: string;
      readonly healthy: number;
      readonly unhealthy: number;
      readonly host?: string;
    };
    readonly timeouts: { readonly connect: string; readonly keepAlive: string };
    readonly maxConnections: number;
  };
}

export interface MiddlewareResource {
  readonly kind: 'Middleware';
  /** `scope`, and one key that is the type. */
  readonly spec: Readonly<Record<string, unknown>>;
}
