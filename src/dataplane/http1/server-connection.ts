import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../routing/header-list.ts';
import { connectionInfo } from './connection-info.ts';
import { ConnectionInput } from './connection-input.ts';
import { ANSWER, BODY, CLOSED, DISCARD, FLUSH, HEAD, LINGER } from './connection-state.ts';
import type { ConnectionState } from './connection-state.ts';
import { FairTurn } from './fair-turn.ts';
import { HeadFault, REQUEST_FAULTS } from './fault.ts';
import type { HttpDate } from './http-date.ts';
import { Linger, LINGER_BYTES, LINGER_MS } from './linger.ts';
import { listenToSocket } from './listen-to-socket.ts';
import type { SocketTarget } from './listen-to-socket.ts';
import { MessageWriter } from './message-writer.ts';
import { RequestBodyReader } from './request-body-reader.ts';
import { RequestReader } from './request-reader.ts';
import type { ExchangeOwner } from './server-exchange.ts';
import { ServerExchange } from './server-exchange.ts';
import type { SpillBudget } from './spill.ts';
import type { TimerTarget, TimerWheel } from './timer-wheel.ts';
import { TimerEntry } from './timer-wheel.ts';
import type { ConnectionInfo, RequestHead, RequestSink, ServerHandler, ServerOptions } from './types.ts';
import { writeRefusal } from './write-refusal.ts';

export interface ServerConnectionParts {
  readonly options: ServerOptions;
  readonly handler: ServerHandler;
  readonly wheel: TimerWheel;
  readonly date: HttpDate;
  /** Shared with other connections. */
  readonly spills: SpillBudget;
}

/** Bytes of further requests that are kept while one is being answered; above, reading pauses. */
const PIPELINE_BYTES = 65_536;
/** An unread request body up to this size is worth keeping the connection for. */
const DISCARD_BYTES = 65_536;
/** A request may be on its way, or lie unread in the kernel, when a connection is told to close. */
const LAST_REQUEST_MS = 200;
/** An upload that nobody takes for this long: it is looked whether its client is still there, again and again. */
const STALLED_MS = 1000;

/**
 * One client connection: reads strictly parsed requests one after another, hands each to the handler, writes the answers
 * in order. A client that ends its side while an answer is pending counts as gone, as with nginx: TCP cannot tell a half
 * close from a close, and an upstream must not work for nobody.
 */
export class ServerConnection implements TimerTarget, SocketTarget, ExchangeOwner {
  readonly info: ConnectionInfo;
  readonly socket: Socket;
  readonly writer: MessageWriter;
  readonly date: HttpDate;
  exchange: ServerExchange | undefined = undefined;

  private readonly options: ServerOptions;
  private readonly handler: ServerHandler;
  private readonly wheel: TimerWheel;
  private readonly timer: TimerEntry;
  private readonly stopListening: () => void;
  private state: ConnectionState = HEAD;
  private readonly input: ConnectionInput;
  private readonly reader: RequestReader;
  private readonly body: RequestBodyReader;
  private readonly turn = new FairTurn(() => this.advance());
  private advancing = false;
  private bodyPaused = false;
  /** Bytes of a rest that may still be dropped. */
  private dropLeft = 0;
  private linger: Linger | undefined = undefined;
  private closing = false;
  private draining = false;

  constructor(socket: Socket, parts: ServerConnectionParts) {
    this.socket = socket;
    this.options = parts.options;
    this.handler = parts.handler;
    this.wheel = parts.wheel;
    this.date = parts.date;
    this.timer = new TimerEntry(this);
    this.input = new ConnectionInput(socket, parts.spills);
    this.reader = new RequestReader(this.input.buffer, parts.options);
    this.body = new RequestBodyReader(this.input.buffer, parts.options);
    this.writer = new MessageWriter(socket);
    this.info = connectionInfo(socket);
    this.stopListening = listenToSocket(socket, this);
    // Browsers open connections before they need them: one without a byte is as idle as one between two requests.
    this.wheel.arm(this.timer, this.options.keepAliveTimeoutMs);
  }

  /** The answer to the next request, or to this one, is the last; an idle connection is closed when none comes soon. */
  drain(): void {
    this.closing = this.draining = true;
    if (this.state === HEAD && !this.reader.started) this.wheel.arm(this.timer, LAST_REQUEST_MS);
  }

  destroy(): void {
    this.abort();
    this.socket.destroy();
  }

  expired(): void {
    if (this.writer.blocked || this.state >= DISCARD) {
      this.destroy();
    } else if (this.state === BODY) {
      if (!this.bodyPaused) {
        this.failExchange(REQUEST_FAULTS.bodyTimeout);
        return;
      }
      this.input.lookForPeer();
      this.bodyAwaited();
    } else if (this.reader.started) {
      this.refuse(REQUEST_FAULTS.headTimeout);
    } else {
      this.closeInStages();
    }
  }

  // ---- for the exchange -------------------------------------------------------------------------------------------

  mayKeep(exchange: ServerExchange, whole: boolean): boolean {
    if (this.closing) return false;
    if (this.state !== BODY) return true;
    // A client that was not told to continue may send its body or not: what follows cannot be told from a request.
    return !exchange.awaitsContinue && !(whole && this.body.left > DISCARD_BYTES);
  }

  canTakeMore(): boolean {
    if (!this.writer.blocked) return true;
    this.wheel.arm(this.timer, this.options.bodyIdleTimeoutMs);
    return false;
  }

  bodyAwaited(): void {
    if (this.state !== BODY) return;
    this.wheel.arm(this.timer, this.bodyPaused ? STALLED_MS : this.options.bodyIdleTimeoutMs);
  }

  exchangeEnded(exchange: ServerExchange): void {
    this.exchange = undefined;
    // Even now that it shall close: what the answer has promised the client may rely on, once more.
    if (!exchange.keepAlive || (exchange.awaitsContinue && this.state === BODY)) {
      this.closeInStages();
      return;
    }
    if (this.state === BODY) {
      this.state = DISCARD;
      this.bodyPaused = false;
      // The answer said that another request may follow: closing now would lose it, and lingering would drop as much.
      this.dropLeft = LINGER_BYTES;
      this.wheel.arm(this.timer, LINGER_MS);
    } else {
      this.requestOver();
    }
    this.advance();
  }

  pauseBody(): void {
    if (this.state !== BODY) return;
    this.bodyPaused = true;
    if (!this.writer.blocked) this.bodyAwaited();
    this.steerReading();
  }

  resumeBody(): void {
    if (!this.bodyPaused) return;
    this.bodyPaused = this.input.ahead = false;
    this.bodyAwaited();
    this.advance();
  }

  closeAfter(): void {
    this.closing = true;
  }

  takeOver(exchange: ServerExchange): { readonly socket: Socket; readonly head: Buffer } {
    const head = this.input.buffer.rest();
    if (this.exchange === exchange) {
      this.forget();
      this.socket.pause();
      this.stopListening();
    }
    return { socket: this.socket, head };
  }

  // ---- socket events ----------------------------------------------------------------------------------------------

  onData(chunk: Buffer, isLent: boolean): void {
    if (this.state >= LINGER) {
      this.linger?.drop(chunk);
      return;
    }
    this.input.append(chunk, isLent);
    this.bodyAwaited();
    this.advance();
    this.input.buffer.keep();
  }

  onEnd(): void {
    if (this.state === HEAD || this.state === FLUSH) this.closeInStages();
    // Else both sides have ended: what is written still goes out.
    else if (this.state < LINGER) this.destroy();
  }

  onDrain(): void {
    if (!this.writer.blocked) return;
    this.writer.drained();
    if (this.state === FLUSH) {
      this.requestOver();
      this.advance();
    } else if (this.state === BODY || this.state === ANSWER) {
      this.wheel.cancel(this.timer);
      this.bodyAwaited();
      this.exchange?.sink?.drain();
    }
  }

  onClose(): void {
    this.linger?.over();
    this.abort();
    this.handler.connectionClosed(this.info);
  }

  // ---- reading ----------------------------------------------------------------------------------------------------

  /** Takes from the buffer what the state allows. Not re-entrant: callbacks that end an exchange come back to the loop. */
  private advance(): void {
    const { input, turn } = this;
    if (this.advancing || turn.waiting || this.state === CLOSED) return;
    this.advancing = true;
    do while (input.buffer.bytes !== undefined && !turn.isOver && this.step());
    while (!turn.isOver && this.mayTake() && input.refill());
    this.advancing = false;
    turn.end();
    this.steerReading();
  }

  private step(): boolean {
    switch (this.state) {
      case HEAD:
        return this.readHead();
      case BODY:
        return !this.bodyPaused && this.readBody();
      case DISCARD:
        return this.readBody();
      default:
        return false;
    }
  }

  /** Somebody waits for what comes. */
  private mayTake(): boolean {
    return this.state === BODY ? !this.bodyPaused : this.state === HEAD || this.state === DISCARD;
  }

  private steerReading(): void {
    if (this.turn.waiting) this.input.flow(false);
    else if (this.state === BODY) this.input.flow(!this.bodyPaused);
    else this.input.flow(this.state < ANSWER || this.state > FLUSH || this.input.size <= PIPELINE_BYTES);
  }

  private readHead(): boolean {
    const wasStarted = this.reader.started;
    const head = this.reader.read();
    if (head === undefined) {
      // Later bytes of the same head do not prolong its time.
      if (this.reader.started && !wasStarted) this.wheel.arm(this.timer, this.options.headTimeoutMs);
      return false;
    }
    if (head instanceof HeadFault) this.refuse(head);
    else this.dispatch(head);
    return true;
  }

  private dispatch(head: RequestHead): void {
    if (this.options.bodyBytes > 0 && head.contentLength > this.options.bodyBytes) {
      this.refuse(REQUEST_FAULTS.bodyTooLarge);
      return;
    }
    const hasBody = this.body.begin(head);
    this.state = hasBody ? BODY : ANSWER;
    this.bodyPaused = false;
    this.wheel.cancel(this.timer);
    const exchange = new ServerExchange(this, head);
    this.exchange = exchange;
    this.turn.requests++;
    const sink = this.handler.request(exchange, head);
    if (this.exchange !== exchange) return;
    exchange.sink = sink;
    if (!hasBody) sink.bodyEnd(undefined);
    else if (!exchange.awaitsContinue) this.bodyAwaited();
  }

  private readBody(): boolean {
    const { body } = this;
    const step = body.read();
    switch (step) {
      case 'data':
      case 'too-large':
        this.deliver(body.take(), step === 'too-large');
        if (body.over) this.bodyOver(undefined);
        return true;
      case 'more':
        return false;
      case 'done':
        this.bodyOver(body.trailers);
        return true;
      case 'fault':
        if (this.state === DISCARD) this.closeInStages();
        else this.failExchange(REQUEST_FAULTS.body);
        return false;
    }
  }

  private deliver(chunk: Buffer, tooLarge: boolean): void {
    if (this.state === DISCARD) {
      this.dropLeft -= chunk.length;
      if (this.dropLeft < 0) this.closeInStages();
      return;
    }
    const { exchange } = this;
    if (exchange === undefined) return;
    exchange.awaitsContinue = false;
    if (tooLarge) this.failExchange(REQUEST_FAULTS.bodyTooLarge);
    else exchange.sink?.body(chunk);
  }

  private bodyOver(trailers: HeaderList | undefined): void {
    if (this.state === DISCARD) {
      this.requestOver();
    } else if (this.state === BODY) {
      this.state = ANSWER;
      if (!this.writer.blocked) this.wheel.cancel(this.timer);
      this.exchange?.sink?.bodyEnd(trailers);
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
    this.body.forget();
    this.reader.next();
    this.wheel.arm(this.timer, this.draining ? LAST_REQUEST_MS : this.options.keepAliveTimeoutMs);
  }

  private failExchange(fault: HeadFault): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    this.exchange = undefined;
    const answered = exchange.headSent;
    exchange.sink?.aborted({ kind: 'bad-request', status: fault.status, code: fault.code });
    if (!answered) {
      this.refuse(fault, exchange.sink);
      return;
    }
    this.writer.flush();
    this.destroy();
  }

  private refuse(fault: HeadFault, failed?: RequestSink): void {
    const { status, code } = fault;
    const answer = this.handler.refused({ kind: 'bad-request', status, code }, this.info, failed);
    writeRefusal(this.writer, status, answer, this.date.text());
    this.closeInStages();
  }

  /** Ends our side after what is written, and drops what still comes for a while (RFC 9112 §9.6). */
  private closeInStages(): void {
    if (this.state >= LINGER) return;
    this.state = LINGER;
    this.input.clear();
    this.body.forget();
    this.wheel.cancel(this.timer);
    this.linger = new Linger(this.socket, this.wheel, this.options.bodyIdleTimeoutMs);
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
    this.input.clear();
    this.body.forget();
    this.wheel.cancel(this.timer);
  }
}
