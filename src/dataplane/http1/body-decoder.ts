import type { Buffer } from 'node:buffer';
import type { HeaderList } from '../../routing/header-list.ts';

/**
 * `data`: `dataStart`..`dataEnd` of the buffer are body bytes, there may be more behind · `more`: all was consumed ·
 * `done`: the body ended before `at` · `fault`: it is malformed.
 */
export type DecodeStep = 'data' | 'more' | 'done' | 'fault';

/** Takes the body out of a connection's bytes, pull style: whoever reads may stop after any piece and go on later. */
export interface BodyDecoder {
  /** First byte that was not consumed; to be set to where the body goes on before each `decode`. */
  at: number;
  readonly dataStart: number;
  readonly dataEnd: number;
  /** The last piece was the end of it: nothing more needs to be read. */
  readonly over: boolean;
  /** Bytes that may still come; Infinity if only its end will tell. */
  readonly left: number;
  /** After `done`; undefined if there were none. */
  readonly trailers: HeaderList | undefined;
  decode(buffer: Buffer): DecodeStep;
}
