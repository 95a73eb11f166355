import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { LocalReply } from '../../middleware/contract.ts';
import { HeaderList } from '../../routing/header-list.ts';
import { refusal, refusals } from '../../routing/refusals.ts';
import type { DeadlineKind } from './deadlines.ts';

/** Answers of the gateway itself that no middleware gives. Codes are documented in docs/errors.md. */
export const replies = {
  ...refusals,
  routeRemoved: refusal(503, 'ERR_ROUTE_REMOVED', 'The route was removed while its answer was under way.'),
  upstreamBusy: refusal(503, 'ERR_UPSTREAM_BUSY', 'All connections to the upstream are in use.'),
  connectFailed: refusal(502, 'ERR_UPSTREAM_CONNECT', 'The upstream could not be reached.'),
  upstreamReset: refusal(502, 'ERR_UPSTREAM_RESET', 'The upstream closed the connection before its answer.'),
  upstreamProtocol: refusal(
    502,
    'ERR_UPSTREAM_PROTOCOL',
    'The upstream gave an answer that is not valid HTTP.',
  ),
  connectTimeout: refusal(504, 'ERR_UPSTREAM_CONNECT_TIMEOUT', 'The upstream could not be reached in time.'),
  upstreamTimeout: refusal(504, 'ERR_UPSTREAM_TIMEOUT', 'The upstream did not answer in time.'),
  requestTimeout: refusal(504, 'ERR_REQUEST_TIMEOUT', 'The request could not be completed in time.'),
} as const satisfies Record<string, LocalReply>;

/** What the client is told when there is no connection to any endpoint that was tried; `code`: of the last one. */
export function connectReply(code: string | undefined): LocalReply {
  if (code === 'POOL_FULL') return replies.upstreamBusy;
  return code === 'ETIMEDOUT' ? replies.connectTimeout : replies.connectFailed;
}

/** What the client is told when another deadline than that of a connection has passed. */
export const timeoutReplies: Readonly<Record<Exclude<DeadlineKind, 'connect'>, LocalReply>> = {
  attempt: replies.upstreamTimeout,
  idle: replies.upstreamTimeout,
  request: replies.requestTimeout,
};

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
