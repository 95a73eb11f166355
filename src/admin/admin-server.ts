import { Buffer } from 'node:buffer';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../telemetry/log.ts';
import type { Query } from './api.ts';
import { answerQuery, isQueryName } from './api.ts';
import { isAllowedHost } from './host-check.ts';
import type { ListenAddress } from './listen-address.ts';
import { addressText, parseListenAddress } from './listen-address.ts';
import type { MetricsSource } from './metrics-reply.ts';
import { sendMetrics } from './metrics-reply.ts';
import { renderPage } from './page.ts';
import type { Reply } from './reply.ts';
import { problemReply, sendReply, textReply } from './reply.ts';

export interface AdminServerOptions {
  /** `HOST:PORT` of everything; Host is checked. */
  readonly address: string;
  /** `HOST:PORT` of `/metrics`, `/healthz`, `/readyz` alone, for kubelet and Prometheus; Host is not checked. */
  readonly probesAddress?: string;
  readonly metrics: MetricsSource;
  readonly query: Query;
  readonly ready: () => Readiness;
  readonly log: Logger;
}

export interface Readiness {
  readonly ready: boolean;
  /** Why not. */
  readonly reason?: string;
}

export interface AdminServer {
  /** Rejects with an Error whose message names the address and what to do. */
  listen(): Promise<void>;
  /** Where it listens, once it does. */
  addresses(): { readonly admin: ListenAddress; readonly probes?: ListenAddress };
  /** Lets answers that are under way end, for a second at most. */
  close(): Promise<void>;
}

const closeTimeoutMs = 1_000;
/** A scraper and a few people; more is a mistake or an attack that must not take the main thread. */
const maxConnections = 128;

/** The operators' door: metrics, probes, the reading API and a page; nothing here changes anything. */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const address = parseListenAddress(options.address);
  const probesAddress =
    options.probesAddress === undefined ? undefined : parseListenAddress(options.probesAddress);
  const admin = openServer(options, (request, url) => {
    if (!isAllowedHost(request.headers.host, address.host)) {
      const detail = 'Host is neither a loopback name nor the address that is listened on';
      return problemReply(421, 'ERR_ADMIN_HOST_REFUSED', detail);
    }
    return answerAdmin(options, request, url);
  });
  const probes = probesAddress && openServer(options, () => undefined);

  return {
    async listen() {
      await listen(admin, address, '--admin');
      if (probes === undefined || probesAddress === undefined) return;
      try {
        await listen(probes, probesAddress, '--probes');
      } catch (error) {
        await close(admin);
        throw error;
      }
    },
    addresses: () => ({ admin: boundAddress(admin), ...(probes && { probes: boundAddress(probes) }) }),
    async close() {
      await Promise.all([close(admin), probes && close(probes)]);
    },
  };
}

/** Answers what only one of the addresses answers; undefined: not found there, unless it is common to both. */
type Answer = (request: IncomingMessage, url: URL) => Reply | Promise<Reply | undefined> | undefined;

async function answerAdmin(
  { query, log }: AdminServerOptions,
  request: IncomingMessage,
  url: URL,
): Promise<Reply | undefined> {
  const name = /^\/api\/v1\/([a-z]+)$/.exec(url.pathname)?.[1];
  if (name !== undefined && isQueryName(name)) {
    const body = request.method === 'POST' ? await readJsonBody(request) : undefined;
    if (typeof body === 'object') return body;
    const reply = await answerQuery(name, url.searchParams, query, body);
    if (reply.status >= 500) log.warn('admin query failed', { query: name, reply: reply.body });
    return reply;
  }
  return url.pathname === '/' ? renderPage(query) : undefined;
}

function openServer(options: AdminServerOptions, answer: Answer): Server {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 60_000 });
  server.maxConnections = maxConnections;
  // A reader that stands still would hold a rendered scrape.
  server.setTimeout(30_000);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    respond(options, answer, request, response).catch((error: unknown) => {
      // The reader went away; any other error is ours.
      if (!response.destroyed && !isReaderGone(error)) options.log.error('admin request failed', { error });
      if (response.headersSent) response.destroy();
      else sendReply(request, response, problemReply(500, 'ERR_ADMIN_INTERNAL', 'see the log'));
    });
  });
  return server;
}

async function respond(
  { metrics, ready }: AdminServerOptions,
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '';
  if (!target.startsWith('/') || !URL.canParse(target, 'http://admin')) {
    sendReply(request, response, problemReply(400, 'ERR_ADMIN_BAD_REQUEST', 'not a path'));
    return;
  }
  const url = new URL(target.replace(/^\/+/, '/'), 'http://admin');
  const asks = request.method === 'POST' && url.pathname === explainPath;
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!asks) request.resume();
  const own = reads || asks ? await answer(request, url) : methodNotAllowed;
  if (own !== undefined) {
    sendReply(request, response, own);
    return;
  }
  switch (url.pathname) {
    case '/metrics':
      return sendMetrics(request, response, metrics);
    case '/healthz':
      return sendReply(request, response, textReply(200, 'ok'));
    case '/readyz':
      return sendReply(request, response, readyReply(ready()));
    default:
      return sendReply(request, response, problemReply(404, 'ERR_ADMIN_NOT_FOUND', 'no such page'));
  }
}

/** It changes nothing: a question with a body, because tokens have no place in a URL. */
const explainPath = '/api/v1/explain';

const methodNotAllowed = problemReply(405, 'ERR_ADMIN_METHOD_NOT_ALLOWED', 'GET and HEAD only', {
  allow: 'GET, HEAD',
});

function readyReply({ ready, reason }: Readiness): Reply {
  return ready ? textReply(200, 'ready') : problemReply(503, 'ERR_NOT_READY', reason ?? 'not ready');
}

const maxBodyBytes = 64 * 1024;

/** A text, or why it is none. Pages of other sites cannot send this type without being asked for permission. */
async function readJsonBody(request: IncomingMessage): Promise<string | Reply> {
  const type = request.headers['content-type'] ?? '';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    return problemReply(400, 'ERR_ADMIN_BAD_REQUEST', 'the body must be application/json');
  if (size > maxBodyBytes) return problemReply(400, 'ERR_ADMIN_BAD_REQUEST', 'the body is too large');
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server, address: ListenAddress, flag: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      reject(new Error(`${flag} ${addressText(address)}: ${reasonText(error)}`, { cause: error }));
    };
    server.once('error', onError);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function reasonText(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use by another program; end that, or choose another port';
    case 'EACCES':
      return 'not permitted to listen there; ports below 1024 need a privilege';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name cannot be resolved';
    default:
      return error.message;
  }
}

function boundAddress(server: Server): ListenAddress {
  const bound = server.address() as AddressInfo | null;
  if (bound === null) throw new Error('not listening');
  return { host: bound.address, port: bound.port };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
  await closed;
  clearTimeout(timer);
}

function isReaderGone(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE';
}
