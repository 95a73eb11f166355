import { Buffer } from 'node:buffer';
import type { HeaderList } from '../../routing/header-list.ts';
import type { BodyDecoder } from './body-decoder.ts';
import { createBodyDecoder } from './create-body-decoder.ts';
import type { DecoderLimits } from './create-body-decoder.ts';
import type { InputBuffer } from './input-buffer.ts';
import type { RequestHead } from './types.ts';

/**
 * `data`: the next piece is to be taken · `more`: more bytes are needed · `done`: the body is whole · `fault`: it is not
 * valid · `too-large`: with this piece it exceeds the limit.
 */
export type BodyStep = 'data' | 'more' | 'done' | 'fault' | 'too-large';

const NOTHING = Buffer.alloc(0);

/** Takes the body of one request after another out of a connection's bytes. */
export class RequestBodyReader {
  private readonly input: InputBuffer;
  private readonly limits: DecoderLimits & { readonly bodyBytes: number };
  private decoder: BodyDecoder | undefined = undefined;
  private received = 0;
  private chunk: Buffer = NOTHING;

  constructor(input: InputBuffer, limits: DecoderLimits & { readonly bodyBytes: number }) {
    this.input = input;
    this.limits = limits;
  }

  /** A request has come; false: it has no body. */
  begin(head: RequestHead): boolean {
    this.decoder = createBodyDecoder(head.framing, head.contentLength, this.limits);
    this.received = 0;
    return this.decoder !== undefined;
  }

  /** No further byte of it is wanted. */
  forget(): void {
    this.decoder = undefined;
  }

  /** What the last `data` or `too-large` brought; only once, so that it is not kept alive here. */
  take(): Buffer {
    const { chunk } = this;
    this.chunk = NOTHING;
    return chunk;
  }

  /** Bytes still to come; Infinity where that is not known. */
  get left(): number {
    return this.decoder === undefined ? 0 : this.decoder.left;
  }

  /** The last piece was the end of it. */
  get over(): boolean {
    return this.decoder?.over === true;
  }

  get trailers(): HeaderList | undefined {
    return this.decoder?.trailers;
  }

  /** The next step with what is there. */
  read(): BodyStep {
    const { decoder, input } = this;
    const { bytes } = input;
    if (decoder === undefined || bytes === undefined) return 'more';
    decoder.at = input.at;
    const step = decoder.decode(bytes);
    switch (step) {
      case 'data': {
        this.chunk = input.piece(decoder.dataStart, decoder.dataEnd);
        input.consume(decoder.at);
        this.received += this.chunk.length;
        const { bodyBytes } = this.limits;
        return bodyBytes > 0 && this.received > bodyBytes ? 'too-large' : step;
      }
      case 'more':
        input.clear();
        return step;
      case 'done':
        input.consume(decoder.at);
        return step;
      case 'fault':
        return step;
    }
  }
}
