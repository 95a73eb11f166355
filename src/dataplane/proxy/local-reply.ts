import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { LocalReply } from '../../middleware/contract.ts';
import { HeaderList } from '../../routing/header-list.ts';

/** Answers of the gateway itself that no middleware gives. Codes are documented in docs/errors.md. */
export const replies = {
  pathRejected: reply(400, 'ERR_PATH_REJECTED', 'The path is ambiguous: servers would read it differently.'),
  hostRejected: reply(400, 'ERR_HOST_REJECTED', 'The Host field is not a valid host name.'),
  routeNotFound: reply(404, 'ERR_ROUTE_NOT_FOUND', 'No route matches this request.'),
  methodNotAllowed: reply(405, 'ERR_METHOD_NOT_ALLOWED', 'The route exists, but not for this method.'),
  routeNotSecured: reply(
    503,
    'ERR_ROUTE_NOT_SECURED',
    'The route is not served while its configuration is incomplete.',
  ),
  upstreamMissing: reply(503, 'ERR_UPSTREAM_MISSING', 'The route has no upstream for this request.'),
  noHealthyEndpoint: reply(503, 'ERR_NO_HEALTHY_ENDPOINT', 'No healthy endpoint is available.'),
  upstreamBusy: reply(503, 'ERR_UPSTREAM_BUSY', 'All connections to the upstream are in use.'),
  connectFailed: reply(502, 'ERR_UPSTREAM_CONNECT', 'The upstream could not be reached.'),
  upstreamReset: reply(502, 'ERR_UPSTREAM_RESET', 'The upstream closed the connection before its answer.'),
  upstreamProtocol: reply(
    502,
    'ERR_UPSTREAM_PROTOCOL',
    'The upstream gave an answer that is not valid HTTP.',
  ),
  connectTimeout: reply(504, 'ERR_UPSTREAM_CONNECT_TIMEOUT', 'The upstream could not be reached in time.'),
  upstreamTimeout: reply(504, 'ERR_UPSTREAM_TIMEOUT', 'The upstream did not answer in time.'),
  requestTimeout: reply(504, 'ERR_REQUEST_TIMEOUT', 'The request could not be completed in time.'),
} as const satisfies Record<string, LocalReply>;

function reply(status: number, code: string, detail: string): LocalReply {
  return { status, code, detail, reason: code.slice(4).toLowerCase() };
}

/** Reply as a response head and body: problem details, RFC 9457. */
export function renderReply(
  local: LocalReply,
  requestId: string,
): { readonly headers: HeaderList; readonly body: Buffer } {
  const body = Buffer.from(
    `${JSON.stringify({
      type: 'about:blank',
      title: STATUS_CODES[local.status] ?? 'Error',
      status: local.status,
      detail: local.detail,
      code: local.code,
      requestId,
    })}\n`,
  );
  const headers = new HeaderList(['content-type', 'application/problem+json', 'x-request-id', requestId]);
  if (local.headers !== undefined) headers.raw.push(...local.headers);
  return { headers, body };
}
