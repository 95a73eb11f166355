import type { HeadFault } from './fault.ts';
import { findHead } from './find-head.ts';
import type { InputBuffer } from './input-buffer.ts';
import { beginningFault, parseRequestHead } from './parse-request-head.ts';
import type { HeadLimits } from './parse-request-head.ts';
import type { RequestHead } from './types.ts';

/** Takes one request head after another out of a connection's bytes. */
export class RequestReader {
  /** Some bytes of the next head are there, but not all. */
  started = false;
  private emptyLineSkipped = false;
  private readonly input: InputBuffer;
  private readonly limits: HeadLimits & { readonly headBytes: number };

  constructor(input: InputBuffer, limits: HeadLimits & { readonly headBytes: number }) {
    this.input = input;
    this.limits = limits;
  }

  /** The next head, or why it is refused; undefined: more bytes are needed. */
  read(): RequestHead | HeadFault | undefined {
    const { input, limits } = this;
    if (!this.emptyLineSkipped && !this.skipEmptyLine()) return undefined;
    if (input.bytes === undefined) return undefined;
    const { text, end } = findHead(input.bytes, input.at, limits.headBytes);
    if (end < 0) {
      this.started = true;
      return beginningFault(text, text.length === limits.headBytes, limits);
    }
    input.consume(input.at + end + 4);
    return parseRequestHead(text, end + 2, limits);
  }

  /** The request is over; what follows is another one. */
  next(): void {
    this.started = false;
    this.emptyLineSkipped = false;
  }

  /** One empty line before a request is ignored (RFC 9112 §2.2), not several. False: it cannot be told yet. */
  private skipEmptyLine(): boolean {
    const { bytes, at } = this.input;
    if (bytes === undefined || bytes[at] !== 13) return true;
    if (at + 1 === bytes.length) {
      this.started = true;
      return false;
    }
    if (bytes[at + 1] === 10) {
      this.emptyLineSkipped = true;
      this.input.consume(at + 2);
    }
    return true;
  }
}
