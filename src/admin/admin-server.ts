import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../supervisor/clock.ts';
import type { Clock } from '../supervisor/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Problem } from '../snapshot/messages.ts';
import type { AdminToken } from './admin-token.ts';
import { openAdminToken } from './admin-token.ts';
import type { Query } from './api.ts';
import { answerQuery, isQueryName } from './api.ts';
import { createGate } from './gate.ts';
import type { Gate } from './gate.ts';
import { isAllowedHost, isLoopback } from './host-check.ts';
import type { ListenAddress } from './listen-address.ts';
import { addressText, parseListenAddress } from './listen-address.ts';
import type { MetricsSource } from './metrics-reply.ts';
import { sendMetrics } from './metrics-reply.ts';
import { renderPage } from './page.ts';
import { readJsonBody } from './read-json-body.ts';
import type { Reply } from './reply.ts';
import { problemReply, sendReply, textReply } from './reply.ts';
import { tokenWarnings } from './token-warnings.ts';
import type { Command } from './writes.ts';
import { answerWrite, isCommandName } from './writes.ts';

export interface AdminServerOptions {
  /** `HOST:PORT` of everything; Host is checked. */
  readonly address: string;
  /** `HOST:PORT` of `/metrics`, `/healthz`, `/readyz` alone, for kubelet and Prometheus; Host is not checked. */
  readonly probesAddress?: string;
  readonly metrics: MetricsSource;
  readonly query: Query;
  readonly command: Command;
  /** Holds the bearer token of writes, and of reads where they are not open; absent: there are no writes. */
  readonly tokenFile?: string;
  /** Reads need no token although the address is not a loopback one. */
  readonly openReads?: boolean;
  readonly ready: () => Readiness;
  readonly log: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
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
/**
 * A scraper and a few people; more is a mistake or an attack that must not take the main thread. Then the oldest goes, not
 * the new one: who holds many must not keep out the kubelet, which would end a program whose probes fail.
 */
const maxConnections = 128;

/**
 * The operators' door: metrics, probes, a page and the API. Metrics and probes are open to whoever gets here; the rest is on a
 * loopback address only, or with the token; what changes anything always needs the token.
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const address = parseListenAddress(options.address);
  const probesAddress =
    options.probesAddress === undefined ? undefined : parseListenAddress(options.probesAddress);
  const token = options.tokenFile === undefined ? undefined : openAdminToken(options.tokenFile);
  const warnings = tokenWarnings(options.tokenFile);
  const gate = createGate({
    token,
    openReads: options.openReads === true || isLoopback(address.host),
    log: options.log,
    clock: options.clock ?? systemClock,
  });
  const admin = openServer(options, (request, url) => {
    if (!isAllowedHost(request.headers.host, address.host)) {
      const detail = 'Host is neither a loopback name nor the address that is listened on';
      return problemReply(421, 'ERR_ADMIN_HOST_REFUSED', detail);
    }
    return answerAdmin({ ...options, query: warned(options.query, warnings) }, gate, request, url);
  });
  const probes = probesAddress && openServer(options, () => undefined);

  return {
    async listen() {
      checkToken(token, options.tokenFile);
      for (const { at, path, message } of warnings)
        options.log.warn('admin token', { at, path, problem: message });
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
  { query, command, log }: AdminServerOptions,
  gate: Gate,
  request: IncomingMessage,
  url: URL,
): Promise<Reply | undefined> {
  const name = /^\/api\/v1\/([a-z]+)$/.exec(url.pathname)?.[1];
  if (name !== undefined && isCommandName(name)) return answerWrite(name, request, { gate, command });
  if (isOpen(url.pathname)) return undefined;
  const refusal = gate.read(request);
  if (refusal !== undefined) {
    request.resume();
    return refusal;
  }
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
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    const [oldest] = connections;
    if (oldest === undefined || connections.size <= maxConnections) return;
    connections.delete(oldest);
    oldest.destroy();
  });
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
  const hasBody = request.method === 'POST' && bodyPaths.includes(url.pathname);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!hasBody) request.resume();
  const own = reads || hasBody ? await answer(request, url) : methodNotAllowed(url.pathname);
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

/** `explain` changes nothing: a question with a body, because tokens have no place in a URL. */
const bodyPaths = ['/api/v1/explain', '/api/v1/rollback', '/api/v1/resume'];

/** What scrapers and probes ask for, without a token. */
function isOpen(path: string): boolean {
  return path === '/metrics' || path === '/healthz' || path === '/readyz';
}

/** Adds to the warnings of `status`. */
function warned(query: Query, warnings: readonly Problem[]): Query {
  if (warnings.length === 0) return query;
  return async (name, args) => {
    const answer = await query(name, args);
    if (name !== 'status') return answer;
    const status = answer as { readonly warnings?: readonly Problem[] };
    return { ...status, warnings: [...warnings, ...(status.warnings ?? [])] };
  };
}

/** A token that cannot be used would be noticed when it is needed. */
function checkToken(token: AdminToken | undefined, path: string | undefined): void {
  try {
    token?.matches('');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`--admin-token-file ${path ?? ''}: ${reason}`, { cause: error });
  }
}

/** RFC 9110 §10.2.1: what there is for this very resource. */
function methodNotAllowed(path: string): Reply {
  const isWrite = isCommandName(path.replace('/api/v1/', ''));
  const methods = isWrite ? 'POST' : bodyPaths.includes(path) ? 'GET, HEAD, POST' : 'GET, HEAD';
  return problemReply(405, 'ERR_ADMIN_METHOD_NOT_ALLOWED', `${methods} only`, { allow: methods });
}

function readyReply({ ready, reason }: Readiness): Reply {
  return ready ? textReply(200, 'ready') : problemReply(503, 'ERR_NOT_READY', reason ?? 'not ready');
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
