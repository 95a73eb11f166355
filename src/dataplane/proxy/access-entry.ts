import type { AccessLog } from '../../telemetry/access-log.ts';
import type { ClientSide } from './client-side.ts';

/** Writes one line for an exchange that has ended. `now`: Unix milliseconds. */
export function logExchange(
  log: AccessLog,
  exchange: ClientSide,
  code: number,
  seconds: number,
  now: number,
): void {
  const attempt = exchange.upstreamSide?.lastAttempt;
  log.write({
    time: now - seconds * 1000,
    requestId: exchange.requestId,
    clientAddress: exchange.clientAddress,
    method: exchange.method,
    host: exchange.host,
    path: exchange.matchedPath,
    protocol: exchange.head.version === 1 ? 'HTTP/1.1' : 'HTTP/1.0',
    status: code,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    durationMs: seconds * 1000,
    route: exchange.route,
    upstream: attempt?.upstream.snapshot.name ?? '',
    endpoint: attempt?.endpoint.snapshot.url ?? '',
    attempts: exchange.upstreamSide?.attempts ?? 0,
    middleware: exchange.answeredBy ?? '',
    code: exchange.code ?? '',
    generation: exchange.generation,
    userAgent: exchange.head.headers.get('user-agent') ?? '',
  });
}
