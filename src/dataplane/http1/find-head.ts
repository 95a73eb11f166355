import type { Buffer } from 'node:buffer';

/** Most heads are shorter; a longer one is looked at again as a whole. */
const FIRST_LOOK_BYTES = 2048;

export interface HeadText {
  /** Latin1, from the first byte of the head on; all there is of it, or up to the limit, if `end` is -1. */
  readonly text: string;
  /** Where the empty line behind the last field line begins (with the CRLF of that line), or -1. */
  readonly end: number;
}

/** The head that begins at `at`, within `headBytes`. */
export function findHead(buffer: Buffer, at: number, headBytes: number): HeadText {
  const available = Math.min(buffer.length - at, headBytes);
  const text = buffer.toString('latin1', at, at + Math.min(available, FIRST_LOOK_BYTES));
  const end = text.indexOf('\r\n\r\n');
  if (end >= 0 || available <= FIRST_LOOK_BYTES) return { text, end };
  const whole = buffer.toString('latin1', at, at + available);
  return { text: whole, end: whole.indexOf('\r\n\r\n', FIRST_LOOK_BYTES - 3) };
}
