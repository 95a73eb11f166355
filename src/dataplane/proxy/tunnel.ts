import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LocalReply, ResponseHead } from '../../middleware/contract.ts';
import { HeaderList } from '../../routing/header-list.ts';
import { stripHopByHop } from '../../routing/strip-hop-by-hop.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Failover } from '../upstream/failover.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { MatchedSide, UpstreamSide } from './client-side.ts';
import { Deadlines } from './deadlines.ts';
import type { DeadlineKind, DeadlineTarget } from './deadlines.ts';
import { connectReply, replies, timeoutReplies } from './local-reply.ts';
import { OpenTunnel } from './open-tunnel.ts';
import type { Services } from './services.ts';
import { Upgrade } from './upgrade.ts';
import type { UpgradeOwner } from './upgrade.ts';

/** Of an open tunnel, as schemas/route.json says: what is silent for longer has most likely gone without a word. */
const defaultIdleMs = 3_600_000;

/**
 * The upstream's side of a WebSocket. Until the upstream has said 101 and the response hooks agree, the connection stays
 * with our codec, which notices a client that goes and answers what is refused.
 */
export class Tunnel implements UpstreamSide, DeadlineTarget, UpgradeOwner {
  attempts = 0;
  lastAttempt: UpstreamSide['lastAttempt'] = undefined;
  private readonly exchange: MatchedSide;
  private readonly services: Services;
  /** Of the handshake and of a refusal; an open tunnel watches over its silence itself. */
  private readonly deadlines: Deadlines;
  private upgrade: Upgrade | undefined = undefined;
  private failover: Failover | undefined = undefined;
  private response: IncomingMessage | undefined = undefined;
  /** The handshake is done. */
  private tunnel: OpenTunnel | undefined = undefined;
  private leaving = false;
  /** The upstream's answer has come, or ours stands in for it. */
  private answered = false;
  private failed = false;

  constructor(exchange: MatchedSide, services: Services) {
    this.exchange = exchange;
    this.services = services;
    this.deadlines = new Deadlines(services.wheel, exchange.target.snapshot.timeouts, this);
  }

  open(): void {
    const { exchange, deadlines } = this;
    const upstream = exchange.target.split.pick();
    if (upstream === undefined) {
      exchange.reply(replies.upstreamMissing);
      return;
    }
    const endpoint = upstream.pick();
    if (endpoint === undefined) {
      exchange.reply(replies.noHealthyEndpoint);
      return;
    }
    deadlines.start();
    this.try(upstream, endpoint);
  }

  private try(upstream: Upstream, endpoint: Endpoint): void {
    this.attempts++;
    this.lastAttempt = { upstream, endpoint };
    if (endpoint.webSockets >= (upstream.snapshot.maxWebSockets ?? Infinity)) {
      this.connectFailed('POOL_FULL');
      return;
    }
    this.upgrade = new Upgrade(this, endpoint, this.exchange, this.services);
    this.deadlines.phase('connect', upstream.snapshot.connectTimeoutMs);
    this.upgrade.begin().catch((error: unknown) => {
      const { url } = endpoint.snapshot;
      this.services.log.error('tunnel could not be opened', { endpoint: url, error: String(error) });
      this.fail(replies.connectFailed);
    });
  }

  // ---- UpgradeOwner

  upgradeConnected(): void {
    this.deadlines.phase('attempt', this.deadlines.timeouts.attemptMs);
  }

  upgradeFailed(error: NodeJS.ErrnoException): void {
    if (this.answered) return;
    if (this.upgrade?.connected !== true) this.connectFailed(error.code ?? 'ECONNFAILED');
    else if (error.code?.startsWith('HPE_') === true) this.fail(replies.upstreamProtocol);
    else this.fail(replies.upstreamReset);
  }

  private connectFailed(code: string): void {
    const { upstream, endpoint } = this.lastAttempt as NonNullable<UpstreamSide['lastAttempt']>;
    this.upgrade?.end();
    const next = (this.failover ??= new Failover(upstream)).next(endpoint, code);
    if (next === undefined) this.fail(connectReply(code));
    else this.try(upstream, next);
  }

  upgradeAgreed(response: IncomingMessage, socket: Duplex, join: (headers: HeaderList) => void): void {
    this.deadlines.phase('attempt', 0);
    void this.agree(response).then((headers) => {
      if (headers !== undefined && !socket.destroyed) this.join(socket, () => join(headers));
      else socket.destroy();
      // The upstream has gone while the response hooks ran.
      if (headers !== undefined && this.tunnel === undefined) this.fail(replies.upstreamReset);
    });
  }

  upgradeRefused(response: IncomingMessage): void {
    this.deadlines.phase('attempt', 0);
    void this.passRefusal(response);
  }

  /** 101: response hooks see the head as they see any other. Undefined: it was refused, and the client has its answer. */
  private async agree(response: IncomingMessage): Promise<HeaderList | undefined> {
    const { exchange } = this;
    if (this.answered || exchange.finished) return undefined;
    this.answered = true;
    const head: ResponseHead = { status: 101, headers: new HeaderList(response.rawHeaders.slice()) };
    stripHopByHop(head.headers);
    const { pipeline } = exchange.target;
    const failed = await pipeline.response(exchange, head, pipeline.length);
    if (exchange.finished || this.failed) return undefined;
    if (failed !== undefined) {
      exchange.replyBy(failed);
      return undefined;
    }
    exchange.addGeneration(head.headers);
    return head.headers;
  }

  /** From here on http-proxy moves the bytes. */
  private join(upstreamSocket: Duplex, join: () => void): void {
    const { exchange } = this;
    this.deadlines.stop();
    exchange.status = 101;
    const { socket, head } = exchange.stream.takeOver();
    if (head.length > 0) socket.unshift(head);
    const { wheel } = this.services;
    const idleMs = exchange.target.snapshot.timeouts.webSocketMs ?? defaultIdleMs;
    const tunnel = new OpenTunnel({
      client: socket,
      upstream: upstreamSocket,
      wheel,
      idleMs,
      ended: () => exchange.finish(101),
    });
    this.tunnel = tunnel;
    socket.on('error', () => socket.destroy());
    join();
    tunnel.joined();
    if (this.leaving) tunnel.leave(false);
  }

  /** The upstream answered something else: it goes to the client as an ordinary answer. */
  private async passRefusal(response: IncomingMessage): Promise<void> {
    const { exchange } = this;
    if (this.answered || exchange.finished) {
      response.destroy();
      return;
    }
    this.answered = true;
    this.response = response;
    const head: ResponseHead = {
      status: response.statusCode ?? 502,
      headers: new HeaderList(response.rawHeaders.slice()),
    };
    stripHopByHop(head.headers);
    head.headers.remove('content-length');
    // It may break off before the response hooks have agreed.
    response.on('error', () => this.fail(replies.upstreamReset));
    const { pipeline } = exchange.target;
    const failed = await pipeline.response(exchange, head, pipeline.length);
    if (exchange.finished || this.failed) return;
    if (failed !== undefined) {
      exchange.replyBy(failed);
      return;
    }
    exchange.addGeneration(head.headers);
    exchange.status = head.status;
    exchange.stream.closeAfter();
    exchange.stream.respond(head.status, head.headers, 'chunked', -1, undefined, false);
    response.on('data', (chunk: Buffer) => {
      this.deadlines.touch();
      exchange.bytesOut += chunk.length;
      if (!exchange.stream.write(chunk)) response.pause();
    });
    response.on('end', () => {
      exchange.stream.end();
      exchange.finish(head.status);
    });
  }

  /** A local reply, or the end of the connection in the middle of a refusal's body: the client must see that a part is missing. */
  private fail(reply: LocalReply): void {
    const { exchange } = this;
    if (this.failed || exchange.finished) return;
    this.answered = this.failed = true;
    if (exchange.status === 0) {
      exchange.reply(reply);
      return;
    }
    exchange.code = reply.code;
    exchange.finish(exchange.status);
    exchange.stream.destroy();
  }

  timedOut(which: DeadlineKind): void {
    if (which === 'connect') this.connectFailed('ETIMEDOUT');
    else this.fail(timeoutReplies[which]);
  }

  // ---- UpstreamSide

  /** A handshake has no body; what follows it belongs to the tunnel. */
  requestBody(): void {}

  requestEnd(): void {}

  clientDrain(): void {
    this.deadlines.touch();
    this.response?.resume();
  }

  cancel(): void {
    this.close();
  }

  gatewayStops(): void {
    // A handshake under way is finished first.
    this.leaving = true;
    this.tunnel?.leave(false);
  }

  routeRemoved(): void {
    if (this.tunnel === undefined) this.fail(replies.routeRemoved);
    else this.tunnel.leave(true);
  }

  close(): void {
    this.deadlines.stop();
    this.upgrade?.end();
    this.tunnel?.destroy();
  }
}
