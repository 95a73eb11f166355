/** How a request would be decided, and where it is written down; plain data without secrets. */
export interface Explanation {
  readonly request: {
    readonly method: string;
    readonly scheme: 'http' | 'https';
    /** As matched; '' if it was refused before. */
    readonly host: string;
    readonly path: string;
    readonly query: string;
  };
  /** One sentence. */
  readonly summary: string;
  /** False: a middleware cannot be decided dry; the rest is said as if it let the request pass. */
  readonly certain: boolean;
  readonly route?: ExplainedRoute;
  readonly middlewares: readonly ExplainedMiddleware[];
  /** The gateway's own answer. */
  readonly reply?: {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
    /** Name of the middleware that answers. */
    readonly by?: string;
    readonly headers: readonly ExplainedField[];
  };
  readonly forward?: {
    readonly path: string;
    readonly query: string;
    /** Fields that the upstream gets otherwise than they were sent; `after` empty: it does not get them. */
    readonly headers: readonly {
      readonly name: string;
      readonly before: readonly string[];
      readonly after: readonly string[];
    }[];
    readonly hostHeader: 'Preserve' | 'Upstream';
    readonly upstreams: readonly ExplainedUpstream[];
  };
  /** Nearest first. */
  readonly nearLosers: readonly ExplainedLoser[];
  /** Near losers left out. */
  readonly furtherLosers: number;
}

export interface ExplainedField {
  readonly name: string;
  readonly value: string;
}

export interface ExplainedRoute {
  /** `namespace/name` */
  readonly name: string;
  /** Empty: any. */
  readonly hostname: string;
  readonly matchIndex: number;
  /** `GET prefix /users` */
  readonly match: string;
  readonly captures: Readonly<Record<string, string>>;
  /** `FILE:L:C` of the match. */
  readonly at: string;
  /** Why an older version than the written one is served, or none. */
  readonly note?: string;
}

export interface ExplainedMiddleware {
  readonly name: string;
  readonly type: string;
  readonly outcome: 'continue' | 'reply' | 'unknown';
  readonly notes: readonly string[];
  /** Where it is defined. */
  readonly at: string;
  /** Where the Route or the Gateway names it; the same place for one written inline. */
  readonly usedAt: string;
}

export interface ExplainedUpstream {
  /** `namespace/name`, or the origin of an inline one. */
  readonly name: string;
  readonly probability: number;
  readonly at: string;
  readonly usedAt: string;
  readonly endpoints: readonly {
    readonly url: string;
    /** Of all requests like this one. */
    readonly probability: number;
    readonly at: string;
  }[];
  /** What this share is answered instead of being forwarded. */
  readonly reply?: { readonly status: number; readonly code: string };
}

export interface ExplainedLoser {
  readonly route: string;
  readonly hostname: string;
  readonly match: string;
  /** The first condition that fails: `method: is not POST`. */
  readonly failed: string;
  readonly at: string;
}
