import { Buffer } from 'node:buffer';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import { HeaderList } from '../../src/routing/header-list.ts';
import { openClientConnection } from '../../src/dataplane/http1/client-connection.ts';
import { HttpDate } from '../../src/dataplane/http1/http-date.ts';
import { ServerConnection } from '../../src/dataplane/http1/server-connection.ts';
import { stripHopByHop } from '../../src/routing/strip-hop-by-hop.ts';
import { SpillBudget } from '../../src/dataplane/http1/spill.ts';
import { TimerWheel } from '../../src/dataplane/http1/timer-wheel.ts';
import type {
  ClientConnection,
  ClientFault,
  RequestHead,
  RequestSink,
  ResponseHead1,
  ResponseSink,
  ServerFault,
  ServerHandler,
  ServerOptions,
  ServerStream,
} from '../../src/dataplane/http1/types.ts';

const relayOptions: ServerOptions = {
  headBytes: 16_384,
  targetBytes: 8192,
  headerFields: 100,
  bodyBytes: 0,
  headTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  bodyIdleTimeoutMs: 60_000,
};

/** Both sides of the codec joined with the least between them: what a test learns here, it learns of the codec. */
export class Relay {
  readonly wheel = new TimerWheel();
  readonly date = new HttpDate();
  readonly faults: ServerFault[] = [];
  readonly upstreamFaults: ClientFault[] = [];
  readonly connections = new Set<ServerConnection>();
  readonly idle: ClientConnection[] = [];
  private readonly upstreamPort: number;
  private readonly options: ServerOptions;
  private readonly server: net.Server;

  constructor(upstreamPort: number, options: Partial<ServerOptions> = {}) {
    this.upstreamPort = upstreamPort;
    this.options = { ...relayOptions, ...options };
    this.server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.accept(socket));
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    for (const connection of this.connections) connection.destroy();
    for (const connection of this.idle) connection.destroy();
    this.wheel.close();
  }

  take(): ClientConnection {
    for (let last = this.idle.pop(); last !== undefined; last = this.idle.pop()) {
      if (last.reusable) return last;
    }
    const socket = net.connect({ host: '127.0.0.1', port: this.upstreamPort, noDelay: true });
    return openClientConnection(socket, { headBytes: 65_536, headerFields: 200, closed: () => undefined });
  }

  private accept(socket: net.Socket): void {
    const handler: ServerHandler = {
      request: (stream, head) => new RelayExchange(this, stream, head),
      refused: (fault) => {
        this.faults.push(fault);
        return {
          headers: new HeaderList(['x-refused', fault.kind === 'gone' ? '' : fault.code]),
          body: empty,
        };
      },
      connectionClosed: () => this.connections.delete(connection),
    };
    const connection = new ServerConnection(socket, {
      options: this.options,
      handler,
      wheel: this.wheel,
      date: this.date,
      spills: new SpillBudget(),
    });
    this.connections.add(connection);
  }
}

const empty = Buffer.alloc(0);

/** The exchange on its client's side; `Answer` is its upstream's side. */
class RelayExchange implements RequestSink {
  private readonly stream: ServerStream;
  private readonly upstream: ClientConnection;

  constructor(relay: Relay, stream: ServerStream, head: RequestHead) {
    this.stream = stream;
    const { headers } = head;
    stripHopByHop(headers);
    if (!headers.has('host')) headers.add('host', head.authority === '' ? 'none.test' : head.authority);
    this.upstream = relay.take();
    const { method, target, contentLength } = head;
    const framing = head.framing === 'close' ? 'none' : head.framing;
    const answer = new Answer(relay, stream, this.upstream);
    this.upstream.start({ method, target, headers, framing, contentLength }, answer, undefined);
  }

  body(chunk: Buffer): void {
    if (!this.upstream.write(chunk)) this.stream.pauseBody();
  }

  bodyEnd(trailers: HeaderList | undefined): void {
    this.upstream.endBody(trailers);
  }

  drain(): void {
    this.upstream.resume();
  }

  aborted(): void {
    this.upstream.destroy();
  }
}

class Answer implements ResponseSink {
  private readonly relay: Relay;
  private readonly stream: ServerStream;
  private readonly upstream: ClientConnection;
  private held: ResponseHead1 | undefined = undefined;
  private first: Buffer[] = [];
  private headSent = false;

  constructor(relay: Relay, stream: ServerStream, upstream: ClientConnection) {
    this.relay = relay;
    this.stream = stream;
    this.upstream = upstream;
  }

  continued(): void {
    this.stream.writeContinue();
  }

  informational(status: number, headers: HeaderList): void {
    this.stream.writeInformational(status, headers);
  }

  head(head: ResponseHead1): void {
    stripHopByHop(head.headers);
    this.held = head;
  }

  body(chunk: Buffer): void {
    if (!this.headSent) this.first.push(chunk);
    else if (!this.stream.write(chunk)) this.upstream.pause();
  }

  batchEnd(): void {
    if (this.held !== undefined && !this.send(this.held, false)) this.upstream.pause();
  }

  end(trailers: HeaderList | undefined): void {
    if (this.held !== undefined) this.send(this.held, trailers === undefined);
    this.stream.end(trailers);
    if (this.upstream.reusable) this.relay.idle.push(this.upstream);
  }

  drain(): void {
    this.stream.resumeBody();
  }

  failed(fault: ClientFault): void {
    this.relay.upstreamFaults.push(fault);
    if (this.headSent) this.stream.destroy();
    else this.stream.respond(502, new HeaderList(), 'length', 0, undefined, true);
  }

  private send(head: ResponseHead1, whole: boolean): boolean {
    this.held = undefined;
    this.headSent = true;
    const framing = head.framing === 'close' ? 'chunked' : head.framing;
    const first = this.first.length > 1 ? Buffer.concat(this.first) : this.first[0];
    this.first = [];
    return this.stream.respond(head.status, head.headers, framing, head.contentLength, first, whole);
  }
}
