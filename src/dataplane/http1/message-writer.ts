import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { HeaderList } from '../../routing/header-list.ts';
import { serialiseFields } from './serialise-fields.ts';
import type { Framing } from './types.ts';

/** Up to this size bytes go out as one latin1 string with what is held; above, copying costs more than a second buffer. */
const SMALL_BYTES = 8192;
/** What the socket may hold before its writer has to wait. */
const BLOCKED_BYTES = 65_536;

/**
 * Writes messages to one socket: frames the body and puts head, small body pieces and the end that come in the same turn
 * of the event loop into one system call.
 */
export class MessageWriter {
  /** The socket holds so much that its `drain` must be waited for. */
  blocked = false;

  private readonly socket: Socket;
  private held = '';
  private scheduled = false;
  private framing: Framing = 'none';
  /** Bytes of a `length` body still to come. */
  private left = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Begins a message: `head` with its empty line. */
  begin(head: string, framing: Framing, contentLength: number): void {
    this.framing = framing;
    this.left = contentLength;
    this.held += head;
  }

  /** Takes body bytes; false if they are more than the length that was announced (nothing of them is written then). */
  body(chunk: Buffer): boolean {
    const size = chunk.length;
    if (size === 0) return true;
    switch (this.framing) {
      case 'none':
        return false;
      case 'length':
        if (size > this.left) return false;
        this.left -= size;
        this.put(chunk);
        return true;
      case 'chunked':
        this.held += `${size.toString(16)}\r\n`;
        this.put(chunk);
        this.held += '\r\n';
        return true;
      case 'close':
        this.put(chunk);
        return true;
    }
  }

  /** Ends the message and writes what is held; false if bytes of the announced length are missing. */
  end(trailers: HeaderList | undefined): boolean {
    if (this.framing === 'length' && this.left > 0) return false;
    if (this.framing === 'chunked') {
      this.held += trailers === undefined ? '0\r\n\r\n' : `0\r\n${serialiseFields(trailers.raw, false)}\r\n`;
    }
    this.flush();
    return true;
  }

  /** What is held goes out before this turn of the event loop ends, together with what is still to come in it. */
  flushSoon(): void {
    if (this.scheduled || this.held === '') return;
    this.scheduled = true;
    process.nextTick(flushScheduled, this);
  }

  flush(): void {
    if (this.held === '') return;
    const text = this.held;
    this.held = '';
    this.wrote(this.socket.write(text, 'latin1'));
  }

  /** To be called by the socket's `drain`. */
  drained(): void {
    this.blocked = false;
  }

  /** Internal: the end of the turn. */
  turnEnded(): void {
    this.scheduled = false;
    if (!this.socket.destroyed) this.flush();
  }

  private put(chunk: Buffer): void {
    if (chunk.length <= SMALL_BYTES) {
      this.held += chunk.toString('latin1', 0, chunk.length);
      if (this.held.length > SMALL_BYTES * 2) this.flush();
      return;
    }
    if (this.held === '') {
      this.wrote(this.socket.write(chunk));
      return;
    }
    this.socket.cork();
    this.flush();
    this.wrote(this.socket.write(chunk));
    this.socket.uncork();
    if (this.socket.writableLength <= BLOCKED_BYTES) this.blocked = false;
  }

  private wrote(kept: boolean): void {
    if (!kept && this.socket.writableLength > BLOCKED_BYTES) this.blocked = true;
  }
}

function flushScheduled(writer: MessageWriter): void {
  writer.turnEnded();
}
