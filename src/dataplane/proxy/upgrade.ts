import type { Buffer } from 'node:buffer';
import { Agent, IncomingMessage } from 'node:http';
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type httpProxy from 'http-proxy';
import type { HeaderList } from '../../routing/header-list.ts';
import { isValidField } from '../http1/serialise-fields.ts';
import { SharedBufferSocket } from '../http1/shared-buffer-socket.ts';
import type { EndpointSnapshot } from '../../snapshot/model.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { MatchedSide } from './client-side.ts';
import type { Services } from './services.ts';

/** The tunnel, as its upgrade sees it. Nothing is told after `end`. */
export interface UpgradeOwner {
  /** TCP (and TLS) stand; the handshake is on its way. */
  upgradeConnected(): void;
  /** `error` came before the upstream's answer; what it means depends on `connected`. */
  upgradeFailed(error: NodeJS.ErrnoException): void;
  /** The upstream said 101. `join` passes its head on to the client and moves the bytes from then on. */
  upgradeAgreed(response: IncomingMessage, socket: Duplex, join: (headers: HeaderList) => void): void;
  /** The upstream said something else. */
  upgradeRefused(response: IncomingMessage): void;
}

/**
 * One try to upgrade to a WebSocket at one endpoint, by http-proxy. It gets only what has been parsed, matched and
 * normalised, as a request object made here. (http-proxy itself would announce a chunked body and send it unchunked.)
 */
export class Upgrade {
  readonly endpoint: Endpoint;
  /** The connection stands: from here on the upstream may have read something. */
  connected = false;
  private readonly owner: UpgradeOwner;
  private readonly exchange: MatchedSide;
  private readonly services: Services;
  private outgoing: ClientRequest | undefined = undefined;
  private status = 0;
  private open = true;

  constructor(owner: UpgradeOwner, endpoint: Endpoint, exchange: MatchedSide, services: Services) {
    this.owner = owner;
    this.endpoint = endpoint;
    this.exchange = exchange;
    this.services = services;
  }

  /** Rejects if it could not even be begun. */
  async begin(): Promise<void> {
    this.endpoint.begin();
    this.endpoint.webSockets++;
    // Few gateways see a WebSocket: http-proxy is loaded with the first.
    const { default: proxies } = await import('http-proxy');
    if (!this.open) return;
    const { path, query } = this.exchange;
    this.handOver(proxies.createProxyServer({}), query === '' ? path : `${path}?${query}`);
    if (this.outgoing !== undefined) this.listen(this.outgoing);
  }

  /** Gives it up in whatever phase it is, and counts it; the owner hears nothing more. */
  end(): void {
    if (!this.open) return;
    this.open = false;
    this.outgoing?.destroy();
    this.endpoint.end();
    this.endpoint.webSockets--;
    this.endpoint.series.answered(this.status);
  }

  private handOver(proxy: httpProxy, path: string): void {
    const { tls, host, port } = this.endpoint.snapshot;
    proxy.on('proxyReqWs', (request) => {
      this.outgoing = request;
      // http-proxy joins and cleans paths by rules of its own; what was matched is what is sent (G7). It sends in this turn.
      request.path = path;
    });
    const target = { protocol: tls ? 'https:' : 'http:', host, port };
    const options: httpProxy.ServerOptions = {
      target,
      toProxy: true,
      ...(tls
        ? { ssl: this.services.tlsOptions(host) }
        : { agent: new PlainAgent(this.endpoint.snapshot, this.services.readBuffer) }),
    };
    // The callback hears of errors after the 101, when the sockets end each other.
    proxy.ws(this.requestObject(path), this.exchange.stream.socket, undefined, options, () => undefined);
  }

  /** Puts our own answers in the place of http-proxy's for all that is not 101. */
  private listen(outgoing: ClientRequest): void {
    const { owner } = this;
    outgoing.removeAllListeners('response');
    outgoing.removeAllListeners('error');
    const connected = this.endpoint.snapshot.tls ? 'secureConnect' : 'connect';
    outgoing.on('socket', (socket) => {
      socket.once(connected, () => {
        this.connected = true;
        if (this.open) owner.upgradeConnected();
      });
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (this.open) owner.upgradeFailed(error);
    });
    outgoing.on('response', (response) => {
      this.status = response.statusCode ?? 0;
      if (this.open) owner.upgradeRefused(response);
    });
    // http-proxy writes the 101 and joins the sockets; it is asked to when the response hooks agree.
    const join = outgoing.listeners('upgrade')[0] as UpgradeListener;
    outgoing.removeAllListeners('upgrade');
    outgoing.on('upgrade', (response, upstreamSocket, head) => {
      upstreamSocket.on('error', () => upstreamSocket.destroy());
      if (!this.open) {
        upstreamSocket.destroy();
        return;
      }
      owner.upgradeAgreed(response, upstreamSocket, (headers) => {
        this.status = 101;
        response.headers = headerObject(headers) as IncomingMessage['headers'];
        // http-proxy writes the head as a string without saying how; fields are latin1, in a head of ours as in any other.
        const { socket } = this.exchange.stream;
        socket.setDefaultEncoding('latin1');
        join(response, upstreamSocket, head);
        socket.setDefaultEncoding('utf8');
      });
    });
  }

  private requestObject(path: string): IncomingMessage {
    const { exchange } = this;
    const request = new IncomingMessage(exchange.stream.socket);
    request.method = 'GET';
    request.url = path;
    request.httpVersion = '1.1';
    const headers = headerObject(exchange.requestHeaders);
    if (exchange.target.snapshot.hostHeader === 'Upstream' || exchange.head.authority === '') {
      headers['host'] = this.endpoint.authority;
    }
    // There is no body to be allowed, and Node would write the head before its path is set.
    delete headers['expect'];
    request.headers = headers as IncomingMessage['headers'];
    return request;
  }
}

/** Opens the one connection of a tunnel without TLS, which reads as all others of the worker do. */
class PlainAgent extends Agent {
  private readonly endpoint: EndpointSnapshot;
  private readonly readBuffer: Buffer;

  constructor(endpoint: EndpointSnapshot, readBuffer: Buffer) {
    super();
    this.endpoint = endpoint;
    this.readBuffer = readBuffer;
  }

  override createConnection(): Duplex {
    const { host, port } = this.endpoint;
    return new SharedBufferSocket(this.readBuffer, {}).connect({ host, port });
  }
}

type UpgradeListener = (response: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** As Node wants headers, with the two fields that make it an upgrade, and without those that could break the head. */
function headerObject(list: HeaderList): OutgoingHttpHeaders {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i < list.raw.length; i += 2) {
    const name = (list.raw[i] as string).toLowerCase();
    const value = list.raw[i + 1] as string;
    if (!isValidField(name, value)) continue;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else headers[name] = [String(before), value];
  }
  headers['connection'] = 'Upgrade';
  headers['upgrade'] = 'websocket';
  return headers;
}
