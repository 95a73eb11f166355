import { Buffer } from 'node:buffer';

/**
 * Texts from one thread to another through shared memory: nobody waits, nothing is allocated while it goes on, and what
 * does not fit is counted. One writer and one reader at a time; either may be replaced by its successor at any moment,
 * since a text counts only once it is whole.
 *
 * Cells (Int32): bytes ever written, bytes ever read, both modulo 2^32, and texts dropped, on a cache line each. Then the
 * bytes: each text behind its length, at a multiple of four; a length of -1 says that the next is at the beginning.
 */
const written = 0;
const read = 16;
const dropped = 32;
const dataAt = 192;
const lengthBytes = 4;
const wrapped = -1;

/** `bytes`: a power of two. */
export function createRequestRing(bytes: number): SharedArrayBuffer {
  if (bytes < 64 || (bytes & (bytes - 1)) !== 0) throw new RangeError(`${bytes} is no power of two`);
  return new SharedArrayBuffer(dataAt + bytes);
}

abstract class RingEnd {
  protected readonly cells: Int32Array;
  protected readonly bytes: Buffer;
  protected readonly capacity: number;

  constructor(ring: SharedArrayBuffer) {
    this.cells = new Int32Array(ring, 0, dataAt / 4);
    this.bytes = Buffer.from(ring, dataAt);
    this.capacity = this.bytes.length;
  }

  protected position(cell: number): number {
    return Atomics.load(this.cells, cell) >>> 0;
  }
}

export class RequestRingWriter extends RingEnd {
  /** `text`: latin1. False: there was no room for it. */
  write(text: string): boolean {
    const size = sizeOf(text.length);
    const head = this.position(written);
    const free = this.capacity - ((head - this.position(read)) >>> 0);
    const at = head % this.capacity;
    // A text lies in one piece: what is left before the end is passed over if it is too short.
    const skipped = at + size > this.capacity ? this.capacity - at : 0;
    if (skipped + size > free) {
      Atomics.add(this.cells, dropped, 1);
      return false;
    }
    if (skipped > 0) this.bytes.writeInt32LE(wrapped, at);
    const start = skipped > 0 ? 0 : at;
    this.bytes.writeInt32LE(text.length, start);
    this.bytes.write(text, start + lengthBytes, 'latin1');
    Atomics.store(this.cells, written, (head + skipped + size) | 0);
    return true;
  }
}

export class RequestRingReader extends RingEnd {
  /** The oldest text, which stays; undefined: there is none. */
  peek(): string | undefined {
    const at = this.start();
    if (at === undefined) return undefined;
    const start = at + lengthBytes;
    return this.bytes.toString('latin1', start, start + this.bytes.readInt32LE(at));
  }

  /** Lets the oldest text go. */
  skip(): void {
    const at = this.start();
    if (at === undefined) return;
    const tail = this.position(read) + sizeOf(this.bytes.readInt32LE(at));
    Atomics.store(this.cells, read, tail | 0);
  }

  /** Texts lost since the last call. */
  takeDropped(): number {
    return Atomics.exchange(this.cells, dropped, 0);
  }

  private start(): number | undefined {
    const tail = this.position(read);
    if (tail === this.position(written)) return undefined;
    const at = tail % this.capacity;
    if (this.bytes.readInt32LE(at) !== wrapped) return at;
    Atomics.store(this.cells, read, (tail + this.capacity - at) | 0);
    return this.start();
  }
}

function sizeOf(characters: number): number {
  return lengthBytes + ((characters + 3) & ~3);
}
