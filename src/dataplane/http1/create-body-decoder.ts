import type { BodyDecoder } from './body-decoder.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { LengthDecoder } from './length-decoder.ts';
import type { Framing } from './types.ts';

export interface DecoderLimits {
  /** Largest trailer section. */
  readonly headBytes: number;
  readonly headerFields: number;
}

/** Undefined: the message has no body. */
export function createBodyDecoder(
  framing: Framing,
  contentLength: number,
  limits: DecoderLimits,
): BodyDecoder | undefined {
  switch (framing) {
    case 'none':
      return undefined;
    case 'length':
      return contentLength === 0 ? undefined : new LengthDecoder(contentLength);
    case 'chunked':
      return new ChunkedDecoder(limits.headBytes, limits.headerFields);
    case 'close':
      return new LengthDecoder(Infinity);
  }
}
