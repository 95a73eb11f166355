import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import type { OnReadOpts, SocketConstructorOpts } from 'node:net';

/** What one read takes at the most. */
const READ_BYTES = 65_536;
/** A connection that reads this much at once is streaming: it gets buffers of its own, which need no copying. */
const STREAMING_BYTES = 16_384;

/** `isLent`: the bytes are only there until it returns; what is to be kept must be copied. */
export type Deliver = (chunk: Buffer, isLent: boolean) => void;

/** A socket that lends what it reads instead of emitting it. */
export interface Lender {
  /** Gets what is read. Undefined: the socket is an ordinary stream. */
  deliver: Deliver | undefined;
}

/** The buffer into which all quiet connections of a thread read. */
export function createReadBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(READ_BYTES);
}

/**
 * A TCP socket that reads into a buffer shared by all (Node's `onread`) and lends what came: a head is read out of it
 * without a copy. Node would allocate 64 KiB for every read and collect them as garbage; that is a fifth of all that a
 * proxied request costs (docs/performance.md).
 */
export class SharedBufferSocket extends Socket implements Lender {
  deliver: Deliver | undefined;

  constructor(shared: Buffer, options: SocketConstructorOpts) {
    let next: Buffer | undefined = shared;
    const onread: OnReadOpts = {
      // Also called by `super`, for the first read. Undefined afterwards: the same buffer again.
      buffer: () => {
        const buffer = next;
        next = undefined;
        return buffer as Uint8Array;
      },
      callback: (count, buffer) => {
        const isLent = buffer.buffer === shared.buffer;
        const chunk = isLent
          ? shared.subarray(0, count)
          : Buffer.from(buffer.buffer, buffer.byteOffset, count);
        if (count >= STREAMING_BYTES) next = createReadBuffer();
        else if (!isLent) next = shared;
        if (this.deliver === undefined) return this.push(isLent ? Buffer.from(chunk) : chunk);
        this.deliver(chunk, isLent);
        return true;
      },
    };
    // Documented for `new net.Socket`, but missing in its types.
    super({ ...options, onread } as SocketConstructorOpts);
  }
}

interface Handle {
  readonly useUserBuffer?: unknown;
}

/**
 * Moves an accepted connection, of which nothing was read yet, into a SharedBufferSocket. A server has no option for it,
 * so this goes by the handle, which Node's own cluster module passes on in the same way; where there is none of the
 * known kind the socket is used as it is.
 */
export function adoptSocket(accepted: Socket, shared: Buffer): Socket {
  const holder = accepted as unknown as { _handle: Handle | null };
  const handle = holder._handle;
  if (handle === null || typeof handle.useUserBuffer !== 'function') {
    accepted.resume();
    return accepted;
  }
  holder._handle = null;
  const options = { handle, allowHalfOpen: true, readable: true, writable: true };
  const socket = new SharedBufferSocket(shared, options);
  accepted.destroy();
  return socket;
}
