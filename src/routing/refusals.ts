/** An answer that needs no middleware and no upstream; `code` is documented in docs/errors.md. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  /** For people; the same for every request. */
  readonly detail: string;
  /** In snake_case, for metrics. */
  readonly reason: string;
  /** Further fields: name, value, … */
  readonly headers?: readonly string[];
}

/** What routing alone answers. Real requests and simulated ones get the same. */
export const refusals = {
  pathRejected: refusal(
    400,
    'ERR_PATH_REJECTED',
    'The path is ambiguous: servers would read it differently.',
  ),
  hostRejected: refusal(400, 'ERR_HOST_REJECTED', 'The Host field is not a valid host name.'),
  routeNotFound: refusal(404, 'ERR_ROUTE_NOT_FOUND', 'No route matches this request.'),
  methodNotAllowed: refusal(405, 'ERR_METHOD_NOT_ALLOWED', 'The route exists, but not for this method.'),
  routeNotSecured: refusal(
    503,
    'ERR_ROUTE_NOT_SECURED',
    'The route is not served while its configuration is incomplete.',
  ),
  routeGuarded: refusal(
    503,
    'ERR_ROUTE_GUARDED',
    'The route is not served: a rule of the operator forbids it.',
  ),
  upstreamMissing: refusal(503, 'ERR_UPSTREAM_MISSING', 'The route has no upstream for this request.'),
  noHealthyEndpoint: refusal(503, 'ERR_NO_HEALTHY_ENDPOINT', 'No healthy endpoint is available.'),
} as const satisfies Record<string, Refusal>;

export function refusal(status: number, code: string, detail: string): Refusal {
  return { status, code, detail, reason: code.slice(4).toLowerCase() };
}
