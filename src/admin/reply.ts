import { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What every answer of the admin server says to browsers. */
export const browserHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends it; HEAD gets the head alone. */
export function sendReply(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, {
    ...browserHeaders,
    'content-type': reply.contentType,
    'content-length': body.length,
    ...reply.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

export function textReply(status: number, text: string): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

export function jsonReply(value: unknown): Reply {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value ?? null)}\n` };
}

/** RFC 9457, with a stable `code`. */
export function problemReply(
  status: number,
  code: string,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): Reply {
  const title = STATUS_CODES[status] ?? 'Error';
  return {
    status,
    contentType: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status, code, detail })}\n`,
    ...(headers === undefined ? {} : { headers }),
  };
}
