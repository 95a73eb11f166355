import { Buffer } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/** What was read from a socket and is not consumed yet. */
export class InputBuffer {
  /** Undefined: nothing. */
  bytes: Buffer | undefined = undefined;
  /** First byte of `bytes` that was not consumed. */
  at = 0;
  /** `bytes` belong to whoever read them, until `keep`. */
  private isLent = false;

  get size(): number {
    return this.bytes === undefined ? 0 : this.bytes.length - this.at;
  }

  append(chunk: Buffer, isLent: boolean): void {
    this.isLent = isLent && this.bytes === undefined;
    this.bytes = this.bytes === undefined ? chunk : Buffer.concat([this.bytes.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** What was lent is about to be overwritten: the rest of it is copied. */
  keep(): void {
    if (!this.isLent) return;
    if (this.bytes !== undefined) this.bytes = this.piece(this.at, this.bytes.length);
    this.at = 0;
    this.isLent = false;
  }

  /** Bytes of `bytes` for whoever may keep them. */
  piece(from: number, to: number): Buffer {
    const { bytes } = this;
    if (bytes === undefined) return NOTHING;
    if (!this.isLent) return bytes.subarray(from, to);
    const copy = Buffer.allocUnsafe(to - from);
    bytes.copy(copy, 0, from, to);
    return copy;
  }

  /** What is before `to` is done with. */
  consume(to: number): void {
    if (this.bytes === undefined || to >= this.bytes.length) this.bytes = undefined;
    else this.at = to;
  }

  rest(): Buffer {
    return this.piece(this.at, this.bytes?.length ?? 0);
  }

  clear(): void {
    this.bytes = undefined;
  }
}
