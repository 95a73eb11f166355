import { Buffer } from 'node:buffer';
import type { LocalReply } from '../../middleware/contract.ts';
import type { HeaderList } from '../../routing/header-list.ts';
import { stripHopByHop } from '../../routing/strip-hop-by-hop.ts';
import type { ClientFault, ClientRequest, Framing, ResponseHead1 } from '../http1/types.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Failover } from '../upstream/failover.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Attempt } from './attempt.ts';
import type { AttemptOwner } from './attempt.ts';
import type { MatchedSide, UpstreamSide } from './client-side.ts';
import { Deadlines } from './deadlines.ts';
import type { DeadlineKind, DeadlineTarget } from './deadlines.ts';
import { connectReply, replies, timeoutReplies } from './local-reply.ts';
import { ReplayableBody } from './replayable-body.ts';
import type { Services } from './services.ts';

/** Methods that may be sent again without the client knowing (RFC 9110 §9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * The upstream's side of an exchange: picks endpoints, streams both bodies with backpressure, keeps the deadlines, and
 * turns what goes wrong into a local reply while that is still possible.
 */
export class Forward implements UpstreamSide, AttemptOwner, DeadlineTarget {
  private readonly exchange: MatchedSide;
  private readonly services: Services;
  private readonly deadlines: Deadlines;
  /** Undefined: the request has none. */
  private readonly source: ReplayableBody | undefined;
  private failover: Failover | undefined = undefined;
  private attempt: Attempt | undefined = undefined;
  /** The one that answered or failed last. */
  lastAttempt: Attempt | undefined = undefined;
  attempts = 0;
  private retriedStale = false;

  private response: ResponseHead1 | undefined = undefined;
  private hooksRunning = false;
  private headSent = false;
  /** Response body held back until the head can go out with it. */
  private held: Buffer | undefined = undefined;
  private heldMore: Buffer[] | undefined = undefined;
  private ended = false;
  private trailers: HeaderList | undefined = undefined;
  private done = false;

  constructor(exchange: MatchedSide, services: Services) {
    this.exchange = exchange;
    this.services = services;
    this.source = exchange.head.framing === 'none' ? undefined : new ReplayableBody(exchange.stream);
    this.deadlines = new Deadlines(services.wheel, exchange.target.snapshot.timeouts, this);
  }

  begin(): void {
    const { exchange } = this;
    if (this.done) return;
    const upstream = exchange.target.split.pick();
    if (upstream === undefined) {
      this.fail(replies.upstreamMissing);
      return;
    }
    const endpoint = upstream.pick();
    if (endpoint === undefined) {
      this.fail(replies.noHealthyEndpoint);
      return;
    }
    this.deadlines.start();
    this.try(upstream, endpoint, false);
  }

  private try(upstream: Upstream, endpoint: Endpoint, fresh: boolean): void {
    this.attempts++;
    const attempt = new Attempt(this, upstream, endpoint, this.services.clock);
    this.attempt = this.lastAttempt = attempt;
    attempt.begin(fresh);
    if (!this.done && this.attempt === attempt && !attempt.isConnected) {
      this.deadlines.phase('connect', upstream.snapshot.connectTimeoutMs);
    }
  }

  // ---- the request body

  requestBody(chunk: Buffer): void {
    if (this.done) return;
    this.deadlines.touch();
    this.source?.push(chunk, this.attempt);
  }

  requestEnd(trailers: HeaderList | undefined): void {
    if (this.done) return;
    if (trailers !== undefined) this.exchange.target.pipeline.requestTrailers(trailers);
    this.source?.end(trailers, this.attempt);
    if (this.attempt?.isConnected === true && this.response === undefined) this.awaitHead();
  }

  /** The request is sent, as far as it has come: once it is whole, the time of the attempt begins. */
  private awaitHead(): void {
    const sent = this.source === undefined || this.source.isWhole;
    this.deadlines.phase('attempt', sent ? this.deadlines.timeouts.attemptMs : 0);
  }

  // ---- AttemptOwner

  attemptConnected(): ClientRequest {
    const { exchange } = this;
    const { head } = exchange;
    this.awaitHead();
    if (exchange.target.snapshot.hostHeader === 'Upstream' || head.authority === '') {
      exchange.requestHeaders.set('host', (this.attempt as Attempt).endpoint.authority);
    }
    return {
      method: exchange.method,
      target: exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`,
      headers: exchange.requestHeaders,
      framing: head.framing === 'close' ? 'none' : head.framing,
      contentLength: head.contentLength,
    };
  }

  takeWholeBody(): Buffer | undefined {
    return this.source?.takeWhole();
  }

  attemptStarted(): void {
    this.source?.flush(this.attempt as Attempt);
  }

  attemptConnectFailed(code: string): void {
    const { upstream, endpoint } = this.attempt as Attempt;
    const next = (this.failover ??= new Failover(upstream)).next(endpoint, code);
    if (next !== undefined) {
      this.try(upstream, next, false);
      return;
    }
    this.services.log.debug('upstream connection failed', { upstream: upstream.snapshot.name, code });
    this.fail(connectReply(code));
  }

  attemptFailed(fault: ClientFault): void {
    if (this.mayRetryStale(fault)) {
      const { upstream, endpoint } = this.attempt as Attempt;
      this.retriedStale = true;
      upstream.series.retried('stale_connection');
      this.source?.rewind();
      this.try(upstream, endpoint, true);
      return;
    }
    const { upstream, endpoint } = this.attempt ?? {};
    this.services.log.debug('upstream exchange failed', {
      requestId: this.exchange.requestId,
      upstream: upstream?.snapshot.name,
      endpoint: endpoint?.snapshot.url,
      code: fault.code,
    });
    this.attempt = undefined;
    this.fail(fault.kind === 'protocol' ? replies.upstreamProtocol : replies.upstreamReset);
  }

  /**
   * A kept-alive connection may have been closed by the upstream while our request was on its way. If it died without
   * a byte of an answer, an idempotent request whose body is still at hand is sent once more, on a new connection.
   */
  private mayRetryStale(fault: ClientFault): boolean {
    return (
      fault.kind === 'reset' &&
      fault.clean &&
      !this.retriedStale &&
      this.attempt?.usedConnection === true &&
      idempotent.has(this.exchange.method) &&
      this.source?.replayable !== false
    );
  }

  upstreamContinued(): void {
    this.exchange.stream.writeContinue();
  }

  upstreamInformational(status: number, headers: HeaderList): void {
    stripHopByHop(headers);
    this.exchange.target.pipeline.responseExtras(headers);
    this.exchange.stream.writeInformational(status, headers);
  }

  upstreamHead(response: ResponseHead1): void {
    const { exchange } = this;
    this.source?.forget();
    this.deadlines.phase('attempt', 0);
    stripHopByHop(response.headers);
    this.response = response;
    const { pipeline } = exchange.target;
    const hooks = pipeline.response(exchange, response, pipeline.length);
    if (hooks === undefined) return;
    if (!(hooks instanceof Promise)) {
      this.abandon();
      exchange.replyBy(hooks);
      return;
    }
    this.hooksRunning = true;
    this.attempt?.pause();
    void hooks.then((failed) => {
      if (this.done) return;
      this.hooksRunning = false;
      if (failed !== undefined) {
        this.abandon();
        exchange.replyBy(failed);
        return;
      }
      const attempt = this.attempt;
      if (this.sendHeld()) attempt?.resume();
    });
  }

  upstreamBody(chunk: Buffer): void {
    this.deadlines.touch();
    this.exchange.bytesOut += chunk.length;
    if (!this.headSent) this.hold(chunk);
    else if (!this.exchange.stream.write(chunk)) this.attempt?.pause();
  }

  upstreamBatchEnd(): void {
    if (this.response === undefined || this.headSent || this.hooksRunning) return;
    if (!this.sendHeld()) this.attempt?.pause();
  }

  upstreamEnd(trailers: HeaderList | undefined): void {
    this.ended = true;
    this.trailers = trailers;
    if (trailers !== undefined) this.exchange.target.pipeline.responseExtras(trailers);
    if (this.hooksRunning) return;
    if (!this.headSent) {
      this.sendHeld();
      return;
    }
    this.exchange.stream.end(trailers);
    this.exchange.finish(this.exchange.status);
  }

  upstreamDrain(): void {
    this.deadlines.touch();
    this.exchange.stream.resumeBody();
  }

  clientDrain(): void {
    this.deadlines.touch();
    if (!this.hooksRunning) this.attempt?.resume();
  }

  private hold(chunk: Buffer): void {
    if (this.held === undefined) this.held = chunk;
    else (this.heldMore ??= []).push(chunk);
  }

  /** Head and what is held of the body, in one write where possible. False: the client takes no more for now. */
  private sendHeld(): boolean {
    const { exchange, held, heldMore } = this;
    const response = this.response as ResponseHead1;
    this.headSent = true;
    this.held = this.heldMore = undefined;
    exchange.status = response.status;
    exchange.addGeneration(response.headers);
    const first = held === undefined || heldMore === undefined ? held : Buffer.concat([held, ...heldMore]);
    const whole = this.ended && this.trailers === undefined;
    const framing: Framing = response.framing === 'close' ? 'chunked' : response.framing;
    const more = exchange.stream.respond(
      response.status,
      response.headers,
      framing,
      response.contentLength,
      first,
      whole,
    );
    if (this.ended) {
      if (!whole) exchange.stream.end(this.trailers);
      exchange.finish(response.status);
    }
    return more;
  }

  // ---- ends

  timedOut(which: DeadlineKind): void {
    if (this.done) return;
    this.attempt?.cancel();
    if (which === 'connect') this.attemptConnectFailed('ETIMEDOUT');
    else this.fail(timeoutReplies[which]);
  }

  /** A local reply if the head is not out yet, else the connection is broken: the client must see that a part is missing. */
  private fail(reply: LocalReply): void {
    const { exchange } = this;
    this.abandon();
    if (!this.headSent) {
      exchange.reply(reply);
      return;
    }
    exchange.code = reply.code;
    // Counted before the connection breaks: the client is not the one who went.
    exchange.finish(exchange.status);
    exchange.stream.destroy();
  }

  /** The client has gone. */
  cancel(): void {
    this.abandon();
  }

  private abandon(): void {
    const attempt = this.attempt;
    this.attempt = undefined;
    this.close();
    attempt?.cancel();
  }

  /** An answer ends by itself, or with the drain's time. */
  gatewayStops(): void {}

  routeRemoved(): void {
    if (!this.done) this.fail(replies.routeRemoved);
  }

  /** No more deadlines, nothing more is sent. */
  close(): void {
    this.done = true;
    this.deadlines.stop();
  }
}
