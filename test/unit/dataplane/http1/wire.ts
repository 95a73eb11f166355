import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Deliver, Lender } from '../../../../src/dataplane/http1/shared-buffer-socket.ts';

/**
 * The byte streams of a connection without a network: `feed` is what the peer sends, `sent` what it gets. It lends its
 * bytes, as sockets do, and spoils them when they are due back.
 */
export class Wire extends Duplex implements Lender {
  sent = '';
  deliver: Deliver | undefined = undefined;
  readonly remoteAddress = '::ffff:127.0.0.1';
  readonly remotePort = 1;
  readonly localPort = 2;

  get socket(): Socket {
    return this as unknown as Socket;
  }

  /** Told to the codec at once, as by a socket that has just been read. */
  feed(text: string): void {
    if (this.destroyed) return;
    const lent = Buffer.from(text, 'latin1');
    if (this.deliver === undefined) this.emit('data', lent);
    else this.deliver(lent, true);
    lent.fill('!');
  }

  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.sent += typeof chunk === 'string' ? chunk : chunk.toString('latin1');
    void encoding;
    done();
  }
}
