import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../routing/header-list.ts';
import type { BodyDecoder } from './body-decoder.ts';
import { createBodyDecoder } from './create-body-decoder.ts';
import { RESPONSE_FAULTS, ResponseFault } from './fault.ts';
import { findHead } from './find-head.ts';
import { InputBuffer } from './input-buffer.ts';
import { listenToSocket } from './listen-to-socket.ts';
import type { SocketTarget } from './listen-to-socket.ts';
import { MessageWriter } from './message-writer.ts';
import { outlastWriteErrors } from './outlast-write-errors.ts';
import { parseResponseHead } from './parse-response-head.ts';
import { breaksLines } from './scan-fields.ts';
import { serialiseHead } from './serialise-fields.ts';
import type { ClientConnection, ClientFault, ClientRequest, ResponseHead1, ResponseSink } from './types.ts';

export interface ClientConnectionOptions {
  /** Largest head and largest trailer section of an answer. */
  readonly headBytes: number;
  readonly headerFields: number;
  /** The connection is closed and will not be used again; called once, after the sink was told. */
  readonly closed: (connection: ClientConnection) => void;
}

const IDLE = 0;
const HEAD = 1;
const BODY = 2;
const CLOSED = 3;
type State = 0 | 1 | 2 | 3;

/** An upstream that never stops announcing would hold the exchange for ever. */
const MAX_INFORMATIONAL = 64;
const TARGET_INVALID = /[^!"$-~]/;

/** The codec over an upstream socket, connected or connecting. */
export function openClientConnection(socket: Socket, options: ClientConnectionOptions): ClientConnection {
  return new Connection(socket, options);
}

class Connection implements ClientConnection, SocketTarget {
  used = false;

  private readonly socket: Socket;
  private readonly options: ClientConnectionOptions;
  private readonly writer: MessageWriter;
  private sink: ResponseSink | undefined = undefined;
  private state: State = IDLE;
  private method = '';
  private requestDone = true;
  private outlasting = false;
  private readonly input = new InputBuffer();
  private seen = false;
  private informational = 0;
  private keepAlive = true;
  private closeDelimited = false;
  private decoder: BodyDecoder | undefined = undefined;
  private paused = false;
  private peerEnded = false;
  private advancing = false;
  private errorCode: string | undefined = undefined;

  constructor(socket: Socket, options: ClientConnectionOptions) {
    this.socket = socket;
    this.options = options;
    this.writer = new MessageWriter(socket);
    listenToSocket(socket, this);
  }

  get reusable(): boolean {
    return this.state === IDLE && !this.peerEnded && this.socket.writable;
  }

  start(request: ClientRequest, sink: ResponseSink, body: Buffer | undefined): void {
    this.sink = sink;
    if (this.state !== IDLE) {
      // Closed between being taken from the pool and being used; told later, so that the caller has its own state set.
      process.nextTick(() =>
        this.fail({ kind: 'reset', clean: true, code: this.errorCode ?? 'ERR_UPSTREAM_CLOSED' }),
      );
      return;
    }
    this.state = HEAD;
    this.method = request.method;
    this.seen = false;
    this.informational = 0;
    const { framing } = request;
    const requestLine = `${request.method} ${validTarget(request.target)} HTTP/1.1\r\n`;
    let codecLines = '\r\n';
    if (framing === 'length') codecLines = `content-length: ${request.contentLength}\r\n\r\n`;
    else if (framing === 'chunked') codecLines = 'transfer-encoding: chunked\r\n\r\n';
    const head = serialiseHead(requestLine, request.headers.raw, false, codecLines);
    this.writer.begin(head, framing, request.contentLength);
    this.requestDone = framing === 'none';
    if (body !== undefined) this.write(body);
    if (this.requestDone || body !== undefined) this.endBody();
    else this.writer.flushSoon();
  }

  write(chunk: Buffer): boolean {
    if (this.sink === undefined || this.requestDone) return true;
    if (!this.outlasting) {
      this.outlasting = true;
      outlastWriteErrors(this.socket);
    }
    if (!this.writer.body(chunk)) {
      this.fail({ kind: 'protocol', code: 'ERR_REQUEST_BODY_TOO_LONG' });
      return true;
    }
    this.writer.flushSoon();
    return !this.writer.blocked;
  }

  endBody(trailers?: HeaderList): void {
    if (this.sink === undefined) return;
    this.requestDone = true;
    // Fewer bytes than announced: the upstream must not take the next request for them.
    if (!this.writer.end(trailers)) this.fail({ kind: 'protocol', code: 'ERR_REQUEST_BODY_TOO_SHORT' });
  }

  pause(): void {
    if (this.paused || this.sink === undefined) return;
    this.paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.advance();
    if (!this.paused) this.socket.resume();
  }

  destroy(): void {
    this.sink = undefined;
    this.close();
  }

  onData(chunk: Buffer, isLent: boolean): void {
    if (this.state === CLOSED) return;
    if (this.state === IDLE) {
      // Nobody asked: an answer to nothing would be taken for the next one.
      this.close();
      return;
    }
    this.seen = true;
    this.input.append(chunk, isLent);
    this.advance();
    this.input.keep();
  }

  onEnd(): void {
    this.peerEnded = true;
    if (this.state === IDLE) this.close();
    else if (!this.paused) this.endOfInput();
  }

  onDrain(): void {
    if (!this.writer.blocked) return;
    this.writer.drained();
    if (!this.requestDone) this.sink?.drain();
  }

  onClose(code: string | undefined): void {
    this.errorCode = code;
    if (this.sink !== undefined) {
      this.fail({ kind: 'reset', clean: !this.seen, code: this.errorCode ?? 'ERR_UPSTREAM_CLOSED' });
    }
    this.close();
    this.options.closed(this);
  }

  /** Everything that came is consumed and nothing more will come. */
  private endOfInput(): void {
    if (this.state === BODY && this.closeDelimited) this.finish(undefined);
    else if (this.sink !== undefined) {
      this.fail({ kind: 'reset', clean: !this.seen, code: 'ERR_UPSTREAM_CLOSED' });
    }
  }

  private advance(): void {
    if (this.advancing) return;
    this.advancing = true;
    const { sink } = this;
    while (this.input.bytes !== undefined && !this.paused && this.step(this.input.bytes));
    this.advancing = false;
    // Not for the next request, which the end of this one may have begun.
    if (sink !== undefined && this.sink === sink) sink.batchEnd();
    if (this.peerEnded && this.input.size === 0 && !this.paused) this.endOfInput();
  }

  private step(buffer: Buffer): boolean {
    if (this.state === HEAD) return this.readHead(buffer);
    return this.state === BODY && this.readBody(buffer);
  }

  private readHead(buffer: Buffer): boolean {
    const { headBytes } = this.options;
    const { text, end } = findHead(buffer, this.input.at, headBytes);
    if (end < 0) {
      if (text.length === headBytes) return this.refuse(RESPONSE_FAULTS.headTooLarge);
      if (breaksLines(text)) return this.refuse(RESPONSE_FAULTS.field);
      return false;
    }
    const head = parseResponseHead(text, end + 2, this.method, this.options.headerFields);
    this.input.consume(this.input.at + end + 4);
    if (head instanceof ResponseFault) return this.refuse(head);
    if (head.status < 200) return this.announce(head);
    return this.beginBody(head);
  }

  private announce(head: ResponseHead1): boolean {
    if (head.status === 101) return this.refuse(RESPONSE_FAULTS.switched);
    if (++this.informational > MAX_INFORMATIONAL) return this.refuse(RESPONSE_FAULTS.unexpected);
    if (head.status === 100) this.sink?.continued();
    else this.sink?.informational(head.status, head.headers);
    return true;
  }

  private beginBody(head: ResponseHead1): boolean {
    this.state = BODY;
    this.keepAlive = head.keepAlive;
    this.closeDelimited = head.framing === 'close';
    this.decoder = createBodyDecoder(head.framing, head.contentLength, this.options);
    this.sink?.head(head);
    if (this.state === BODY && this.decoder === undefined) this.finish(undefined);
    return true;
  }

  private readBody(buffer: Buffer): boolean {
    const { decoder } = this;
    if (decoder === undefined) return false;
    decoder.at = this.input.at;
    switch (decoder.decode(buffer)) {
      case 'data': {
        const piece = this.input.piece(decoder.dataStart, decoder.dataEnd);
        this.input.consume(decoder.at);
        this.sink?.body(piece);
        if (decoder.over) this.finish(undefined);
        return true;
      }
      case 'more':
        this.input.clear();
        return false;
      case 'done':
        this.input.consume(decoder.at);
        this.finish(decoder.trailers);
        return true;
      case 'fault':
        return this.refuse(RESPONSE_FAULTS.body);
    }
  }

  /** The answer is whole. */
  private finish(trailers: HeaderList | undefined): void {
    const { sink } = this;
    if (sink === undefined || this.state !== BODY) return;
    this.sink = undefined;
    this.decoder = undefined;
    this.used = true;
    this.state = IDLE;
    if (this.paused) {
      this.paused = false;
      this.socket.resume();
    }
    // Bytes behind the answer belong to nothing; an unfinished request would be finished by the next one.
    if (!this.keepAlive || !this.requestDone || this.input.size > 0 || this.peerEnded) this.close();
    sink.end(trailers);
  }

  private refuse(fault: ResponseFault): boolean {
    this.fail({ kind: 'protocol', code: fault.code });
    return false;
  }

  private fail(fault: ClientFault): void {
    const { sink } = this;
    this.sink = undefined;
    this.close();
    sink?.failed(fault);
  }

  private close(): void {
    if (this.state === CLOSED) return;
    this.state = CLOSED;
    this.input.clear();
    this.decoder = undefined;
    this.socket.destroy();
  }
}

/** A rewritten path that could break out of the request line is percent-encoded; nothing is passed on raw. */
function validTarget(target: string): string {
  if (!TARGET_INVALID.test(target)) return target === '' ? '/' : target;
  let out = '';
  for (const character of target) {
    if (!TARGET_INVALID.test(character)) out += character;
    else
      for (const byte of Buffer.from(character, 'utf8'))
        out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
