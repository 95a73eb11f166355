import type { Buffer } from 'node:buffer';
import type { BodyDecoder, DecodeStep } from './body-decoder.ts';

/** A body of known length (RFC 9112 §6.2), or one up to the end of the connection (`Infinity`). */
export class LengthDecoder implements BodyDecoder {
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  left: number;
  readonly trailers = undefined;

  constructor(length: number) {
    this.left = length;
  }

  get over(): boolean {
    return this.left === 0;
  }

  decode(buffer: Buffer): DecodeStep {
    if (this.left === 0) return 'done';
    if (this.at >= buffer.length) return 'more';
    this.dataStart = this.at;
    this.dataEnd = this.at = Math.min(buffer.length, this.at + this.left);
    this.left -= this.dataEnd - this.dataStart;
    return 'data';
  }
}
