import type { Buffer } from 'node:buffer';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../routing/header-list.ts';
import type { HttpDate } from './http-date.ts';
import type { MessageWriter } from './message-writer.ts';
import { serialiseHead } from './serialise-fields.ts';
import type { ConnectionInfo, Framing, RequestHead, RequestSink, ServerStream } from './types.ts';

const STATUS_LINES: readonly string[] = Array.from({ length: 600 }, (_, status) => statusLine(status));

function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
}

/** The connection, as its exchange sees it. */
export interface ExchangeOwner {
  readonly info: ConnectionInfo;
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly date: HttpDate;
  /** The one that is on; calls of any other do nothing. */
  readonly exchange: ServerExchange | undefined;
  /** Can another request follow this answer? `whole`: the answer is complete although the request may not be. */
  mayKeep(exchange: ServerExchange, whole: boolean): boolean;
  /** False: the client has to take what is written first; `drain` will be told. */
  canTakeMore(): boolean;
  /** The client was told to send its body. */
  bodyAwaited(): void;
  exchangeEnded(exchange: ServerExchange): void;
  pauseBody(): void;
  resumeBody(): void;
  closeAfter(): void;
  destroy(): void;
  takeOver(exchange: ServerExchange): { readonly socket: Socket; readonly head: Buffer };
}

/** One request and its answer on a client connection. It knows nothing of the socket once it is over. */
export class ServerExchange implements ServerStream {
  readonly connection: ConnectionInfo;
  readonly socket: Socket;
  sink: RequestSink | undefined = undefined;
  headSent = false;
  /** Another request may follow; said to the client in the answer's head. */
  keepAlive: boolean;
  /** The client waits for 100 Continue before it sends its body. */
  awaitsContinue: boolean;

  private readonly owner: ExchangeOwner;
  private readonly head: RequestHead;
  private bodyless: boolean;
  /** The end of the connection is the end of the answer. */
  private endsWithConnection = false;

  constructor(owner: ExchangeOwner, head: RequestHead) {
    this.connection = owner.info;
    this.socket = owner.socket;
    this.owner = owner;
    this.head = head;
    this.keepAlive = head.keepAlive;
    this.awaitsContinue = head.expectContinue;
    this.bodyless = head.method === 'HEAD';
  }

  writeContinue(): void {
    if (!this.awaitsContinue || this.headSent || this.isOver()) return;
    this.awaitsContinue = false;
    this.owner.writer.begin(statusLine(100) + '\r\n', 'none', 0);
    this.owner.writer.flush();
    this.owner.bodyAwaited();
  }

  writeInformational(status: number, headers: HeaderList): void {
    if (this.headSent || this.isOver() || this.head.version === 0) return;
    if (status < 102 || status > 199) return;
    this.owner.writer.begin(
      serialiseHead(STATUS_LINES[status] as string, headers.raw, false, '\r\n'),
      'none',
      0,
    );
    this.owner.writer.flush();
  }

  respond(
    status: number,
    headers: HeaderList,
    framing: Framing,
    contentLength: number,
    first: Buffer | undefined,
    end: boolean,
  ): boolean {
    if (this.headSent || this.isOver()) return true;
    this.headSent = true;
    const { owner } = this;
    const version = this.head.version;
    if (status === 204 || status === 304) this.bodyless = true;
    let sent = framing;
    let length = contentLength;
    // All is known: say how long it is rather than chunk it.
    if (end && framing !== 'length') {
      sent = 'length';
      length = first === undefined ? 0 : first.length;
    } else if (framing === 'none') {
      sent = 'length';
      length = 0;
    } else if (framing === 'chunked' || framing === 'close') {
      sent = version === 1 ? 'chunked' : 'close';
    }
    if (!this.bodyless && sent === 'close') {
      this.endsWithConnection = true;
      this.keepAlive = false;
    }
    if (this.keepAlive) this.keepAlive = owner.mayKeep(this, end);

    let lines = headers.has('date') ? '' : `date: ${owner.date.text()}\r\n`;
    if (!this.bodyless) {
      if (sent === 'length') lines += `content-length: ${length}\r\n`;
      else if (sent === 'chunked') lines += 'transfer-encoding: chunked\r\n';
    } else if (framing === 'length' && status !== 204 && status !== 304 && !headers.has('content-length')) {
      lines += `content-length: ${length}\r\n`;
    }
    if (!this.keepAlive) lines += 'connection: close\r\n\r\n';
    else lines += version === 0 ? 'connection: keep-alive\r\n\r\n' : '\r\n';
    const start = STATUS_LINES[status] ?? statusLine(status);
    const text = serialiseHead(start, headers.raw, this.bodyless && status !== 204, lines);

    owner.writer.begin(text, this.bodyless ? 'none' : sent, length);
    if (first !== undefined && !this.bodyless && !owner.writer.body(first)) {
      this.destroy();
      return true;
    }
    if (end) {
      this.end();
      return true;
    }
    owner.writer.flushSoon();
    return owner.canTakeMore();
  }

  write(chunk: Buffer): boolean {
    if (!this.headSent || this.isOver() || this.bodyless) return true;
    const { owner } = this;
    if (!owner.writer.body(chunk)) {
      // More than was announced: the client would take the rest for the next answer.
      this.destroy();
      return true;
    }
    owner.writer.flushSoon();
    return owner.canTakeMore();
  }

  end(trailers?: HeaderList): void {
    if (!this.headSent || this.isOver()) return;
    if (this.owner.writer.end(trailers)) this.owner.exchangeEnded(this);
    else this.destroy();
  }

  pauseBody(): void {
    if (!this.isOver()) this.owner.pauseBody();
  }

  resumeBody(): void {
    if (!this.isOver()) this.owner.resumeBody();
  }

  closeAfter(): void {
    if (!this.isOver()) this.owner.closeAfter();
  }

  destroy(): void {
    if (this.isOver()) return;
    // What waits for the end of this turn is part of what the client may see; with none of it, it would see no answer at all.
    this.owner.writer.flush();
    // An orderly end would pass for the end of the answer.
    if (this.endsWithConnection && !this.connection.tls) this.socket.resetAndDestroy();
    this.owner.destroy();
  }

  takeOver(): { readonly socket: Socket; readonly head: Buffer } {
    return this.owner.takeOver(this);
  }

  private isOver(): boolean {
    return this.owner.exchange !== this;
  }
}
