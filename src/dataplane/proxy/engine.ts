import type { Buffer } from 'node:buffer';
import type { ConnectionOptions } from 'node:tls';
import type { HeaderList } from '../../routing/header-list.ts';
import { toForwardedHead } from '../../routing/forwarded-head.ts';
import { clientAddress } from '../../routing/forwarded.ts';
import { routeRequest } from '../../routing/route-request.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { RequestTap } from '../../telemetry/request-tap.ts';
import type { RouteSeries, WorkerMetrics } from '../../telemetry/series.ts';
import { HttpDate } from '../http1/http-date.ts';
import type { TimerWheel } from '../http1/timer-wheel.ts';
import type { RequestHead, RequestSink, ServerFault, ServerStream } from '../http1/types.ts';
import { tlsOptions } from '../upstream/connect.ts';
import type { TlsClient } from '../upstream/connect.ts';
import type { ClientSide } from './client-side.ts';
import { ProxyExchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import { renderReply, replies } from './local-reply.ts';
import { OpenExchanges } from './open-exchanges.ts';
import type { Services } from './services.ts';

export interface EngineOptions {
  readonly first: Generation;
  readonly metrics: WorkerMetrics;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  readonly accessLog: Services['ended'] | undefined;
  /** Gets every request as it came. */
  readonly tap: RequestTap | undefined;
  readonly tlsClient: TlsClient;
  /** Shared by all connections of the worker. */
  readonly readBuffer: Buffer;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Start of every request id of this worker: unlike that of any other worker or start. */
  readonly requestIdPrefix: string;
}

/**
 * The request path from a parsed head to a route: one generation, one normalised path, one client address. Everything a
 * request needs besides its route is here.
 */
export class Engine implements Services {
  /** The one reference that a reload swaps. */
  current: Generation;
  readonly metrics: WorkerMetrics;
  readonly wheel: TimerWheel;
  readonly log: Logger;
  readonly date = new HttpDate(Date.now);
  readonly clock: () => number;
  readonly unmatched: RouteSeries;
  /** Exchanges and tunnels that have not ended. */
  readonly open = new OpenExchanges<ClientSide>();
  /** Every answer is the last of its connection: the gateway will stop. */
  windingDown = false;
  readonly readBuffer: Buffer;
  private readonly tlsClient: TlsClient;
  private readonly accessLog: Services['ended'] | undefined;
  private readonly tap: RequestTap | undefined;
  private readonly requestIdPrefix: string;
  private requests = 0;

  constructor(options: EngineOptions) {
    this.current = options.first;
    this.metrics = options.metrics;
    this.wheel = options.wheel;
    this.log = options.log;
    this.accessLog = options.accessLog;
    this.tap = options.tap;
    this.tlsClient = options.tlsClient;
    this.readBuffer = options.readBuffer;
    this.clock = options.clock;
    this.requestIdPrefix = options.requestIdPrefix;
    this.unmatched = options.metrics.route('_none');
  }

  /** Takes a request from the listener called `listener`. */
  request(listener: string, stream: ServerStream, head: RequestHead): RequestSink {
    const generation = this.current;
    if (this.tap !== undefined) this.offer(this.tap, generation.number, listener, stream, head);
    const exchange = new ProxyExchange(this, generation, stream, head);
    this.open.add(exchange);
    const { headers } = head;
    const peer = stream.connection.remoteAddress;
    const trusted = !generation.trusted.isEmpty && generation.trusted.has(peer);
    exchange.clientAddress = trusted
      ? clientAddress(peer, headers.getAll('x-forwarded-for'), generation.trusted)
      : peer;
    const givenId = trusted ? headers.get('x-request-id') : undefined;
    exchange.requestId = givenId === undefined || givenId === '' ? this.nextRequestId() : givenId;

    const routed = routeRequest(generation.table, {
      listener,
      method: head.method,
      target: head.target,
      authority: head.authority,
      headers,
    });
    exchange.host = routed.host;
    exchange.path = exchange.matchedPath = routed.path;
    exchange.query = routed.query;
    const { match } = routed;
    if (match === undefined) {
      exchange.refuse(routed.refusal ?? replies.routeNotFound);
      return exchange;
    }
    exchange.captures = match.captures;
    exchange.matchedPrefix = match.prefix;
    const facts = { peer, trusted, scheme: exchange.scheme, authority: head.authority };
    toForwardedHead(headers, facts, givenId === exchange.requestId ? undefined : exchange.requestId);
    exchange.run(match.target);
    return exchange;
  }

  /** The answer to what never became a request, which is counted like one, or to an exchange whose body `failed`. */
  refused(
    fault: ServerFault,
    failed: RequestSink | undefined,
  ): { readonly headers: HeaderList; readonly body: Buffer } {
    const status = fault.kind === 'gone' ? 400 : fault.status;
    const code = fault.kind === 'gone' ? 'ERR_BAD_REQUEST' : fault.code;
    const exchange = failed instanceof ProxyExchange ? failed : undefined;
    if (exchange === undefined) {
      this.unmatched.begin();
      this.unmatched.end('OTHER', status, 0);
    }
    return renderReply(
      { status, code, detail: 'The request is not valid HTTP or exceeds a limit.', reason: 'bad_request' },
      exchange?.requestId ?? this.nextRequestId(),
    );
  }

  ended(exchange: ClientSide, code: number, seconds: number): void {
    this.open.delete(exchange);
    this.accessLog?.(exchange, code, seconds);
  }

  tlsOptions(host: string): ConnectionOptions {
    return tlsOptions(host, this.tlsClient);
  }

  private offer(
    tap: RequestTap,
    generation: number,
    listener: string,
    { connection }: ServerStream,
    { method, authority, target, headers }: RequestHead,
  ): void {
    const { tls, remoteAddress: peer } = connection;
    tap.offer({ generation, tls, peer, listener, method, authority, target, headers: headers.raw });
  }

  private nextRequestId(): string {
    this.requests++;
    return this.requestIdPrefix + this.requests.toString(36);
  }
}
