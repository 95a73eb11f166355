import { IncomingMessage } from 'node:http';
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import type { LocalReply, ResponseHead } from '../../middleware/contract.ts';
import { HeaderList } from '../../routing/header-list.ts';
import { stripHopByHop } from '../../routing/strip-hop-by-hop.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { RequestHead } from '../http1/types.ts';
import type { MatchedSide, UpstreamSide } from './client-side.ts';
import { Deadlines } from './deadlines.ts';
import type { DeadlineKind, DeadlineTarget } from './deadlines.ts';
import { replies } from './local-reply.ts';
import { OpenTunnel } from './open-tunnel.ts';
import type { Services } from './services.ts';

/** A WebSocket handshake (RFC 6455 §4.1); other upgrades are not for tunnels and are forwarded without `Upgrade`. */
export function isWebSocket(head: RequestHead): boolean {
  return (
    head.method === 'GET' &&
    head.framing === 'none' &&
    head.upgrade !== undefined &&
    head.upgrade.split(',').some((protocol) => protocol.trim() === 'websocket')
  );
}

/**
 * A WebSocket tunnel by http-proxy. It gets only what has been parsed, matched and normalised, as a request object made
 * here; until the upstream has said 101 the connection stays with our codec, which notices a client that goes and
 * answers what is refused. (http-proxy itself would announce a chunked body and send it unchunked.)
 */
export class Tunnel implements UpstreamSide, DeadlineTarget {
  attempts = 0;
  lastAttempt: UpstreamSide['lastAttempt'] = undefined;
  private readonly exchange: MatchedSide;
  private readonly services: Services;
  /** Of the handshake and of a refusal; an open tunnel has none. */
  private readonly deadlines: Deadlines;
  private endpoint: Endpoint | undefined = undefined;
  private outgoing: ClientRequest | undefined = undefined;
  private response: IncomingMessage | undefined = undefined;
  /** The handshake is done. */
  private tunnel: OpenTunnel | undefined = undefined;
  private leaving = false;
  private connected = false;
  /** The upstream's answer has come, or ours stands in for it. */
  private answered = false;
  private failed = false;

  constructor(exchange: MatchedSide, services: Services) {
    this.exchange = exchange;
    this.services = services;
    this.deadlines = new Deadlines(services.wheel, exchange.target.snapshot.timeouts, this);
  }

  open(): void {
    const { exchange } = this;
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
    this.attempts = 1;
    this.lastAttempt = { upstream, endpoint };
    this.endpoint = endpoint;
    endpoint.begin();
    const path = exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`;
    const outgoing = this.handOver(endpoint, path);
    if (outgoing === undefined) this.fail(replies.connectFailed);
    else this.listen(outgoing, upstream.snapshot.connectTimeoutMs);
  }

  private handOver(endpoint: Endpoint, path: string): ClientRequest | undefined {
    const { tls, host, port } = endpoint.snapshot;
    const proxy = httpProxy.createProxyServer({});
    let outgoing: ClientRequest | undefined;
    proxy.on('proxyReqWs', (request) => {
      outgoing = request;
      // http-proxy joins and cleans paths by rules of its own; what was matched is what is sent (G7). It sends in this turn.
      request.path = path;
    });
    const target = { protocol: tls ? 'https:' : 'http:', host, port };
    const options: httpProxy.ServerOptions = {
      target,
      toProxy: true,
      ...(tls ? { ssl: this.services.tlsOptions(host) } : {}),
    };
    try {
      // The callback hears of errors after the 101, when the sockets end each other.
      proxy.ws(
        this.requestObject(endpoint, path),
        this.exchange.stream.socket,
        undefined,
        options,
        () => undefined,
      );
    } catch (error) {
      this.services.log.error('tunnel could not be opened', {
        endpoint: endpoint.snapshot.url,
        error: String(error),
      });
    }
    return outgoing;
  }

  /** Puts our own answers in the place of http-proxy's for all that is not 101. */
  private listen(outgoing: ClientRequest, connectTimeoutMs: number): void {
    this.outgoing = outgoing;
    outgoing.removeAllListeners('response');
    outgoing.removeAllListeners('error');
    const { deadlines } = this;
    deadlines.start();
    deadlines.phase('connect', connectTimeoutMs);
    const connected = this.endpoint?.snapshot.tls === true ? 'secureConnect' : 'connect';
    outgoing.on('socket', (socket) => {
      socket.once(connected, () => {
        this.connected = true;
        deadlines.phase('attempt', deadlines.timeouts.attemptMs);
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.answered) this.fail(this.failure(error));
    });
    outgoing.on('response', (response) => {
      deadlines.phase('attempt', 0);
      void this.passRefusal(response);
    });
    // http-proxy writes the 101 and joins the sockets; it is asked to when the response hooks agree.
    const join = outgoing.listeners('upgrade')[0] as UpgradeListener;
    outgoing.removeAllListeners('upgrade');
    outgoing.on('upgrade', (response, upstreamSocket, head) => {
      deadlines.phase('attempt', 0);
      upstreamSocket.on('error', () => upstreamSocket.destroy());
      void this.agree(response).then((agreed) => {
        if (!agreed || upstreamSocket.destroyed) upstreamSocket.destroy();
        else this.join(upstreamSocket, () => join(response, upstreamSocket, head));
      });
    });
  }

  private requestObject(endpoint: Endpoint, path: string): IncomingMessage {
    const { exchange } = this;
    const request = new IncomingMessage(exchange.stream.socket);
    request.method = 'GET';
    request.url = path;
    request.httpVersion = '1.1';
    const headers = headerObject(exchange.requestHeaders);
    if (exchange.target.snapshot.hostHeader === 'Upstream' || exchange.head.authority === '') {
      headers['host'] = endpoint.authority;
    }
    // There is no body to be allowed, and Node would write the head before its path is set.
    delete headers['expect'];
    request.headers = headers as IncomingMessage['headers'];
    return request;
  }

  /** 101: response hooks see the head as they see any other. False: it was refused, and the client has its answer. */
  private async agree(response: IncomingMessage): Promise<boolean> {
    const { exchange } = this;
    if (this.answered || exchange.finished) return false;
    this.answered = true;
    const head: ResponseHead = { status: 101, headers: new HeaderList(response.rawHeaders.slice()) };
    stripHopByHop(head.headers);
    const { pipeline } = exchange.target;
    const failed = await pipeline.response(exchange, head, pipeline.length);
    if (exchange.finished || this.failed) return false;
    if (failed !== undefined) {
      exchange.replyBy(failed);
      return false;
    }
    exchange.addGeneration(head.headers);
    response.headers = headerObject(head.headers) as IncomingMessage['headers'];
    return true;
  }

  /** From here on http-proxy moves the bytes. */
  private join(upstreamSocket: Duplex, join: () => void): void {
    const { exchange } = this;
    this.deadlines.stop();
    exchange.status = 101;
    const { socket, head } = exchange.stream.takeOver();
    if (head.length > 0) socket.unshift(head);
    const { wheel } = this.services;
    const tunnel = new OpenTunnel({
      client: socket,
      upstream: upstreamSocket,
      wheel,
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

  /** What a failure means depends on whether the connection stood, and whether what came was HTTP. */
  private failure(error: NodeJS.ErrnoException): LocalReply {
    if (!this.connected) return replies.connectFailed;
    return error.code?.startsWith('HPE_') === true ? replies.upstreamProtocol : replies.upstreamReset;
  }

  timedOut(which: DeadlineKind): void {
    this.fail(timeoutReplies[which]);
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
    this.outgoing?.destroy();
    this.tunnel?.destroy();
    this.endpoint?.end();
    this.endpoint?.series.answered(this.exchange.status === 101 ? 101 : (this.response?.statusCode ?? 0));
    this.endpoint = undefined;
  }
}

const timeoutReplies: Readonly<Record<DeadlineKind, LocalReply>> = {
  connect: replies.connectTimeout,
  attempt: replies.upstreamTimeout,
  idle: replies.upstreamTimeout,
  request: replies.requestTimeout,
};

type UpgradeListener = (response: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** As Node wants headers, with the two fields that make it an upgrade. */
function headerObject(list: HeaderList): OutgoingHttpHeaders {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i < list.raw.length; i += 2) {
    const name = (list.raw[i] as string).toLowerCase();
    const value = list.raw[i + 1] as string;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [String(before), value];
  }
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = 'websocket';
  return headers;
}
