import { Buffer } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

/** What was read from a socket and is not consumed yet. */
export class InputBuffer {
  /** Undefined: nothing. */
  bytes: Buffer | undefined = undefined;
  /** First byte of `bytes` that was not consumed. */
  at = 0;

  get size(): number {
    return this.bytes === undefined ? 0 : this.bytes.length - this.at;
  }

  append(chunk: Buffer): void {
    this.bytes = this.bytes === undefined ? chunk : Buffer.concat([this.bytes.subarray(this.at), chunk]);
    this.at = 0;
  }

  /** What is before `to` is done with. */
  consume(to: number): void {
    if (this.bytes === undefined || to >= this.bytes.length) this.bytes = undefined;
    else this.at = to;
  }

  rest(): Buffer {
    return this.bytes === undefined ? NOTHING : this.bytes.subarray(this.at);
  }

  clear(): void {
    this.bytes = undefined;
  }
}
