import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { HeadFault, REQUEST_FAULTS } from './fault.ts';
import type { HttpDate } from './http-date.ts';
import { MessageWriter } from './message-writer.ts';
import { beginningFault, parseRequestHead } from './parse-request-head.ts';
import { serialiseFields } from './serialise-fields.ts';
import { ServerExchange } from './server-exchange.ts';
import type { TimerTarget, TimerWheel } from './timer-wheel.ts';
import { TimerEntry } from './timer-wheel.ts';
import type { ConnectionInfo, RequestHead, ServerHandler, ServerOptions } from './types.ts';

export interface ServerConnectionParts {
  readonly options: ServerOptions;
  readonly handler: ServerHandler;
  readonly wheel: TimerWheel;
  readonly date: HttpDate;
}

/** Where a connection stands. */
const HEAD = 0; // between requests, or in the middle of a head
const BODY = 1; // an exchange is on and its request body is coming
const ANSWER = 2; // the request is whole, the answer is not
const DISCARD = 3; // answered early: a short rest of the request body is dropped to keep the connection
const FLUSH = 4; // answered, but the client has not taken it: no further request until it has
const LINGER = 5; // our side is closed; what still comes is dropped so that our answer is not reset away
const CLOSED = 6;
type State = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Bytes of further requests that are kept while one is being answered; above, reading pauses. */
const PIPELINE_BYTES = 65_536;
/** An unread request body up to this size is worth keeping the connection for. */
const DISCARD_BYTES = 65_536;
/** RFC 9112 §9.6: close in stages, bounded in time and bytes. */
const LINGER_MS = 5000;
const LINGER_BYTES = 64 * 1024 * 1024;
/** Most heads are shorter; a longer one is looked at again as a whole. */
const FIRST_LOOK_BYTES = 2048;

const NOTHING = Buffer.alloc(0);

/**
 * One client connection: reads strictly parsed requests one after another, hands each to the handler, writes the answers
 * in order. A client that ends its side while an answer is pending counts as gone, as with nginx: TCP cannot tell a half
 * close from a close, and an upstream must not work for nobody.
 */
export class ServerConnection implements TimerTarget {
  readonly info: ConnectionInfo;
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly date: HttpDate;
  exchange: ServerExchange | undefined = undefined;

  private readonly options: ServerOptions;
  private readonly handler: ServerHandler;
  private readonly wheel: TimerWheel;
  private readonly timer: TimerEntry;
  private state: State = HEAD;
  private buffer: Buffer | undefined = undefined;
  private at = 0;
  private headStarted = false;
  private emptyLineSkipped = false;
  private advancing = false;
  private readingPaused = false;
  private bodyPaused = false;
  private bodyLeft = 0;
  private bodyBytes = 0;
  private chunked: ChunkedDecoder | undefined = undefined;
  /** Bytes that may still be dropped. */
  private dropLeft = 0;
  private closing = false;

  constructor(socket: Socket, parts: ServerConnectionParts) {
    this.socket = socket;
    this.options = parts.options;
    this.handler = parts.handler;
    this.wheel = parts.wheel;
    this.date = parts.date;
    this.timer = new TimerEntry(this);
    this.writer = new MessageWriter(socket);
    const address = socket.remoteAddress ?? '';
    this.info = {
      remoteAddress: address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address,
      remotePort: socket.remotePort ?? 0,
      localPort: socket.localPort ?? 0,
      tls: 'encrypted' in socket,
    };
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('end', () => this.onEnd());
    socket.on('drain', () => this.onDrain());
    socket.on('close', () => this.onClose());
    socket.on('error', ignore);
    // Browsers open connections before they need them: one without a byte is as idle as one between two requests.
    this.wheel.arm(this.timer, this.options.keepAliveTimeoutMs);
  }

  /** No further request: an idle connection is closed now, another one after its answer. */
  drain(): void {
    this.closing = true;
    if (this.state === HEAD && this.buffer === undefined) this.closeInStages();
  }

  destroy(): void {
    this.abort();
    this.socket.destroy();
  }

  expired(): void {
    if (this.writer.blocked || this.state >= DISCARD) {
      this.destroy();
    } else if (this.state === BODY) {
      this.failExchange(REQUEST_FAULTS.bodyTimeout);
    } else if (this.headStarted) {
      this.refuse(REQUEST_FAULTS.headTimeout);
    } else {
      this.closeInStages();
    }
  }

  // ---- for the exchange -------------------------------------------------------------------------------------------

  /** Can another request follow this answer? `whole`: the answer is complete although the request may not be. */
  mayKeep(exchange: ServerExchange, whole: boolean): boolean {
    if (this.closing) return false;
    if (this.state !== BODY) return true;
    // A client that was not told to continue may send its body or not: what follows cannot be told from a request.
    return (
      !exchange.awaitsContinue && !(whole && this.chunked === undefined && this.bodyLeft > DISCARD_BYTES)
    );
  }

  canTakeMore(): boolean {
    if (!this.writer.blocked) return true;
    this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
    return false;
  }

  bodyAwaited(): void {
    if (this.state === BODY && !this.bodyPaused) this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
  }

  exchangeEnded(exchange: ServerExchange): void {
    this.exchange = undefined;
    if (!exchange.keepAlive || this.closing || (exchange.awaitsContinue && this.state === BODY)) {
      this.closeInStages();
      return;
    }
    if (this.state === BODY) {
      this.state = DISCARD;
      this.bodyPaused = false;
      this.dropLeft = DISCARD_BYTES;
      this.wheel.arm(this.timer, LINGER_MS);
    } else {
      this.requestOver();
    }
    this.advance();
  }

  pauseBody(): void {
    if (this.state !== BODY) return;
    this.bodyPaused = true;
    if (!this.writer.blocked) this.wheel.cancel(this.timer);
    this.steerReading();
  }

  resumeBody(): void {
    if (!this.bodyPaused) return;
    this.bodyPaused = false;
    this.bodyAwaited();
    this.advance();
  }

  closeAfter(): void {
    this.closing = true;
  }

  takeOver(exchange: ServerExchange): { readonly socket: Socket; readonly head: Buffer } {
    const head = this.buffer === undefined ? NOTHING : this.buffer.subarray(this.at);
    if (this.exchange === exchange) {
      this.forget();
      this.socket.pause();
      this.socket.removeAllListeners('data');
      this.socket.removeAllListeners('end');
      this.socket.removeAllListeners('drain');
    }
    return { socket: this.socket, head };
  }

  // ---- socket events ----------------------------------------------------------------------------------------------

  private onData(chunk: Buffer): void {
    if (this.state >= LINGER) {
      this.dropLeft -= chunk.length;
      if (this.dropLeft < 0) this.socket.destroy();
      return;
    }
    if (this.buffer === undefined) {
      this.buffer = chunk;
      this.at = 0;
    } else {
      this.buffer = Buffer.concat([this.buffer.subarray(this.at), chunk]);
      this.at = 0;
    }
    if (this.state === BODY && !this.bodyPaused) this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
    this.advance();
  }

  private onEnd(): void {
    switch (this.state) {
      case HEAD:
      case FLUSH:
        this.closeInStages();
        return;
      case BODY:
      case ANSWER:
      case DISCARD:
        this.destroy();
        return;
      default:
        // Both sides have ended; what is written still goes out.
        return;
    }
  }

  private onDrain(): void {
    if (!this.writer.blocked) return;
    this.writer.drained();
    if (this.state === FLUSH) {
      this.requestOver();
      this.advance();
    } else if (this.state === BODY || this.state === ANSWER) {
      if (this.state === BODY && !this.bodyPaused) this.bodyAwaited();
      else this.wheel.cancel(this.timer);
      this.exchange?.sink?.drain();
    }
  }

  private onClose(): void {
    this.abort();
    this.handler.connectionClosed(this.info);
  }

  // ---- reading ----------------------------------------------------------------------------------------------------

  /** Takes from the buffer what the state allows. Not re-entrant: callbacks that end an exchange come back to the loop. */
  private advance(): void {
    if (this.advancing) return;
    this.advancing = true;
    while (this.buffer !== undefined && this.step(this.buffer));
    this.advancing = false;
    this.steerReading();
  }

  private step(buffer: Buffer): boolean {
    switch (this.state) {
      case HEAD:
        return this.readHead(buffer);
      case BODY:
        return !this.bodyPaused && this.readBody(buffer);
      case DISCARD:
        return this.readBody(buffer);
      default:
        return false;
    }
  }

  private steerReading(): void {
    let pause = false;
    if (this.state === BODY) pause = this.bodyPaused;
    else if (this.state === ANSWER || this.state === FLUSH) {
      pause = this.buffer !== undefined && this.buffer.length - this.at > PIPELINE_BYTES;
    }
    if (pause === this.readingPaused) return;
    this.readingPaused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }

  private consume(buffer: Buffer, to: number): void {
    if (to >= buffer.length) this.buffer = undefined;
    else this.at = to;
  }

  private readHead(buffer: Buffer): boolean {
    if (buffer[this.at] === 13 && !this.emptyLineSkipped) {
      // One empty line before a request is ignored (RFC 9112 §2.2), not several.
      if (this.at + 1 === buffer.length) return this.awaitHead();
      if (buffer[this.at + 1] === 10) {
        this.emptyLineSkipped = true;
        this.consume(buffer, this.at + 2);
        return true;
      }
    }
    const { headBytes } = this.options;
    const available = Math.min(buffer.length - this.at, headBytes);
    let text = buffer.toString('latin1', this.at, this.at + Math.min(available, FIRST_LOOK_BYTES));
    let end = text.indexOf('\r\n\r\n');
    if (end < 0 && available > FIRST_LOOK_BYTES) {
      text = buffer.toString('latin1', this.at, this.at + available);
      end = text.indexOf('\r\n\r\n', FIRST_LOOK_BYTES - 3);
    }
    if (end < 0) {
      const fault = beginningFault(text, available === headBytes, this.options);
      if (fault === undefined) return this.awaitHead();
      this.refuse(fault);
      return false;
    }
    const head = parseRequestHead(text, end + 2, this.options);
    this.consume(buffer, this.at + end + 4);
    if (head instanceof HeadFault) this.refuse(head);
    else this.dispatch(head);
    return true;
  }

  private awaitHead(): boolean {
    if (!this.headStarted) {
      this.headStarted = true;
      this.wheel.arm(this.timer, this.options.headTimeoutMs);
    }
    return false;
  }

  private dispatch(head: RequestHead): void {
    const { bodyBytes } = this.options;
    if (bodyBytes > 0 && head.contentLength > bodyBytes) {
      this.refuse(REQUEST_FAULTS.bodyTooLarge);
      return;
    }
    const hasBody = head.framing === 'chunked' || head.contentLength > 0;
    this.state = hasBody ? BODY : ANSWER;
    this.bodyLeft = head.contentLength;
    this.bodyBytes = 0;
    this.bodyPaused = false;
    this.chunked =
      head.framing === 'chunked'
        ? new ChunkedDecoder(this.options.headBytes, this.options.headerFields)
        : undefined;
    this.wheel.cancel(this.timer);
    const exchange = new ServerExchange(this, head);
    this.exchange = exchange;
    const sink = this.handler.request(exchange, head);
    if (this.exchange !== exchange) return;
    exchange.sink = sink;
    if (!hasBody) sink.bodyEnd(undefined);
    else if (!exchange.awaitsContinue) this.bodyAwaited();
  }

  private readBody(buffer: Buffer): boolean {
    const { chunked } = this;
    if (chunked === undefined) {
      const from = this.at;
      const taken = Math.min(this.bodyLeft, buffer.length - from);
      this.bodyLeft -= taken;
      this.consume(buffer, from + taken);
      this.deliver(from === 0 && taken === buffer.length ? buffer : buffer.subarray(from, from + taken));
      if (this.bodyLeft === 0) this.bodyOver(undefined);
      return true;
    }
    chunked.at = this.at;
    switch (chunked.decode(buffer)) {
      case 'data':
        this.consume(buffer, chunked.at);
        this.deliver(buffer.subarray(chunked.dataStart, chunked.dataEnd));
        return true;
      case 'more':
        this.buffer = undefined;
        return false;
      case 'done':
        this.consume(buffer, chunked.at);
        this.bodyOver(chunked);
        return true;
      case 'fault':
        if (this.state === DISCARD) this.closeInStages();
        else this.failExchange(REQUEST_FAULTS.body);
        return false;
    }
  }

  private deliver(chunk: Buffer): void {
    if (this.state === DISCARD) {
      this.dropLeft -= chunk.length;
      if (this.dropLeft < 0) this.closeInStages();
      return;
    }
    const { exchange } = this;
    if (exchange === undefined) return;
    exchange.awaitsContinue = false;
    this.bodyBytes += chunk.length;
    if (this.options.bodyBytes > 0 && this.bodyBytes > this.options.bodyBytes) {
      this.failExchange(REQUEST_FAULTS.bodyTooLarge);
      return;
    }
    exchange.sink?.body(chunk);
  }

  private bodyOver(decoder: ChunkedDecoder | undefined): void {
    if (this.state === DISCARD) {
      this.requestOver();
    } else if (this.state === BODY) {
      this.state = ANSWER;
      if (!this.writer.blocked) this.wheel.cancel(this.timer);
      this.exchange?.sink?.bodyEnd(decoder?.trailers);
    }
  }

  /** The exchange is over on both sides; the next request may come. */
  private requestOver(): void {
    if (this.writer.blocked) {
      this.state = FLUSH;
      this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
      return;
    }
    this.state = HEAD;
    this.chunked = undefined;
    this.headStarted = false;
    this.emptyLineSkipped = false;
    this.wheel.arm(this.timer, this.options.keepAliveTimeoutMs);
  }

  // ---- refusing and closing ---------------------------------------------------------------------------------------

  private failExchange(fault: HeadFault): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    this.exchange = undefined;
    const answered = exchange.headSent;
    exchange.sink?.aborted({ kind: 'bad-request', status: fault.status, code: fault.code });
    if (answered) this.destroy();
    else this.refuse(fault);
  }

  private refuse(fault: HeadFault): void {
    const reply = this.handler.refused(
      { kind: 'bad-request', status: fault.status, code: fault.code },
      this.info,
    );
    const head =
      `HTTP/1.1 ${fault.status} ${REASONS[fault.status]}\r\n${serialiseFields(reply.headers.raw, false)}` +
      `date: ${this.date.text()}\r\ncontent-length: ${reply.body.length}\r\nconnection: close\r\n\r\n`;
    this.writer.begin(head, 'length', reply.body.length);
    this.writer.body(reply.body);
    this.writer.end(undefined);
    this.closeInStages();
  }

  /** Ends our side after what is written, and drops what still comes for a while (RFC 9112 §9.6). */
  private closeInStages(): void {
    if (this.state >= LINGER) return;
    this.state = LINGER;
    this.buffer = undefined;
    this.chunked = undefined;
    this.dropLeft = LINGER_BYTES;
    // While the client takes its answer, the time for that counts; once it has all, the time to hang up.
    this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
    this.socket.end(() => {
      if (this.state === LINGER) this.wheel.arm(this.timer, LINGER_MS);
    });
    this.steerReading();
  }

  /** The client is gone, or is being thrown out. */
  private abort(): void {
    const { exchange } = this;
    this.forget();
    exchange?.sink?.aborted({ kind: 'gone' });
  }

  private forget(): void {
    this.exchange = undefined;
    this.state = CLOSED;
    this.buffer = undefined;
    this.chunked = undefined;
    this.wheel.cancel(this.timer);
  }
}

const REASONS = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
} as const;

function ignore(): void {
  // A `close` event follows each error, and that is what ends a connection.
}
