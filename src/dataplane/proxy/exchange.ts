import type { Buffer } from 'node:buffer';
import type { LocalReply, ResponseHead } from '../../middleware/contract.ts';
import type { PipelineReply } from '../../middleware/pipeline.ts';
import type { HeaderList } from '../../routing/header-list.ts';
import type { RequestHead, RequestSink, ServerFault, ServerStream } from '../http1/types.ts';
import type { ClientSide, MatchedSide, UpstreamSide } from './client-side.ts';
import { Forward } from './forward.ts';
import type { Generation } from './generation.ts';
import { isWebSocket } from './is-web-socket.ts';
import { renderReply, replies } from './local-reply.ts';
import type { RouteTarget } from './route-target.ts';
import type { Services } from './services.ts';
import { Tunnel } from './tunnel.ts';

/** `code` label of an exchange whose client went before its answer. */
const clientGone = 499;
const noCaptures: Readonly<Record<string, string>> = Object.freeze({});

/**
 * One request and its answer. This class is the client's side: what middlewares see, the response as it goes out, and
 * the one place where the exchange is counted and ends. Forward and Tunnel are the upstream's side.
 */
export class ProxyExchange implements ClientSide, RequestSink {
  requestId = '';
  clientAddress = '';
  readonly scheme: 'http' | 'https';
  readonly method: string;
  host = '';
  matchedPath = '';
  route = '_none';
  readonly generation: number;
  captures: Readonly<Record<string, string>> = noCaptures;
  matchedPrefix: string | undefined = undefined;
  path = '';
  query = '';
  readonly requestHeaders: HeaderList;
  claims: Readonly<Record<string, unknown>> | undefined = undefined;

  readonly head: RequestHead;
  readonly stream: ServerStream;
  target: RouteTarget | undefined = undefined;
  upstreamSide: UpstreamSide | undefined = undefined;
  status = 0;
  code: string | undefined = undefined;
  answeredBy: string | undefined = undefined;
  bytesIn = 0;
  bytesOut = 0;
  finished = false;
  previous: ClientSide | undefined = undefined;
  next: ClientSide | undefined = undefined;
  leaving: ClientSide['leaving'] = undefined;

  private readonly services: Services;
  private readonly table: Generation;
  private readonly startedAt: number;
  /** Request body that came before anybody could take it. */
  private early: Buffer[] | undefined = undefined;
  private bodyEnded = false;
  private trailers: HeaderList | undefined = undefined;

  constructor(services: Services, table: Generation, stream: ServerStream, head: RequestHead) {
    this.services = services;
    this.table = table;
    this.generation = table.number;
    this.stream = stream;
    this.head = head;
    this.method = head.method;
    this.requestHeaders = head.headers;
    this.scheme = stream.connection.tls ? 'https' : 'http';
    this.startedAt = services.clock();
    table.enter();
  }

  // ---- the request phase

  /** No route takes it, or it is not one that may be routed. */
  refuse(local: LocalReply): void {
    this.services.unmatched.begin();
    this.reply(local);
  }

  /** Runs the request hooks, then answers or forwards. The route has been found. */
  run(target: RouteTarget): void {
    this.target = target;
    this.route = target.name;
    target.series.begin();
    if (target.unsecured) {
      this.reply(target.snapshot.guard === undefined ? replies.routeNotSecured : replies.routeGuarded);
      return;
    }
    const outcome = target.pipeline.request(this);
    if (outcome === undefined) {
      this.proceed();
    } else if (outcome instanceof Promise) {
      // A pipeline never rejects: what its hooks throw has become a reply.
      void outcome.then((reply) => {
        if (this.finished) return;
        if (reply === undefined) this.proceed();
        else this.replyBy(reply);
      });
    } else {
      this.replyBy(outcome);
    }
  }

  private proceed(): void {
    const matched = this as MatchedSide;
    if (this.head.upgrade !== undefined && isWebSocket(this.head)) {
      const tunnel = new Tunnel(matched, this.services);
      this.upstreamSide = tunnel;
      tunnel.open();
      return;
    }
    const forward = new Forward(matched, this.services);
    this.upstreamSide = forward;
    if (this.early !== undefined) for (const chunk of this.early) forward.requestBody(chunk);
    this.early = undefined;
    if (this.bodyEnded) forward.requestEnd(this.trailers);
    if (this.head.framing === 'none' || this.bodyEnded) forward.begin();
    // The body that came in the same read as the head is told right after this call: let it leave with the head.
    else queueMicrotask(() => forward.begin());
  }

  // ---- RequestSink: the client's body and fate

  body(chunk: Buffer): void {
    this.bytesIn += chunk.length;
    if (this.upstreamSide !== undefined) {
      this.upstreamSide.requestBody(chunk);
    } else if (!this.finished) {
      (this.early ??= []).push(chunk);
      this.stream.pauseBody();
    }
  }

  bodyEnd(trailers: HeaderList | undefined): void {
    this.bodyEnded = true;
    this.trailers = trailers;
    this.upstreamSide?.requestEnd(trailers);
  }

  drain(): void {
    this.upstreamSide?.clientDrain();
  }

  aborted(fault: ServerFault): void {
    if (this.finished) return;
    this.upstreamSide?.cancel();
    this.finish(fault.kind === 'gone' ? clientGone : this.status === 0 ? fault.status : this.status);
  }

  // ---- answers

  reply(local: LocalReply): void {
    this.sendReply(local, this.target?.pipeline.length ?? 0);
  }

  replyBy(outcome: PipelineReply): void {
    this.answeredBy = outcome.by;
    this.services.metrics.rejected(this.route, outcome.by, outcome.reply.reason);
    this.sendReply(outcome.reply, outcome.index);
  }

  private sendReply(local: LocalReply, fromIndex: number): void {
    if (this.finished) return;
    const { headers, body } = renderReply(local, this.requestId);
    this.code = local.code;
    const head: ResponseHead = { status: local.status, headers };
    const hooks = this.target?.pipeline.response(this, head, fromIndex);
    if (hooks === undefined) {
      this.sendBody(head, body);
    } else if (hooks instanceof Promise) {
      void hooks.then((failed) => {
        if (failed === undefined) this.sendBody(head, body);
        else this.replyBy(failed);
      });
    } else {
      this.replyBy(hooks);
    }
  }

  private sendBody(head: ResponseHead, body: Buffer): void {
    if (this.finished) return;
    this.addGeneration(head.headers);
    head.headers.remove('content-length');
    this.status = head.status;
    this.bytesOut = this.method === 'HEAD' ? 0 : body.length;
    this.stream.respond(head.status, head.headers, 'length', body.length, body, true);
    this.finish(head.status);
  }

  addGeneration(headers: HeaderList): void {
    const name = this.table.edge.generationHeader;
    if (name !== undefined) headers.set(name, String(this.generation));
  }

  gatewayStops(): void {
    this.upstreamSide?.gatewayStops();
  }

  routeRemoved(): void {
    if (this.upstreamSide === undefined) this.reply(replies.routeRemoved);
    else this.upstreamSide.routeRemoved();
  }

  finish(code: number): void {
    if (this.finished) return;
    this.finished = true;
    this.leaving?.delete(this);
    this.upstreamSide?.close();
    const seconds = (this.services.clock() - this.startedAt) / 1000;
    (this.target?.series ?? this.services.unmatched).end(this.method, code, seconds);
    this.table.leave();
    this.services.ended(this, code, seconds);
  }
}
