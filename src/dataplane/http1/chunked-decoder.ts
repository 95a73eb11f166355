import type { Buffer } from 'node:buffer';
import type { HeaderList } from '../../routing/header-list.ts';
import type { BodyDecoder, DecodeStep } from './body-decoder.ts';
import { parseTrailers } from './parse-trailers.ts';
import { breaksLines } from './scan-fields.ts';

const STATE = {
  size: 0,
  extension: 1,
  sizeEnd: 2,
  data: 3,
  dataCr: 4,
  dataLf: 5,
  trailer: 6,
  done: 7,
  fault: 8,
} as const;
type State = (typeof STATE)[keyof typeof STATE];

/** Sizes stay exact numbers below this; leading zeros are digits too (RFC 9112 §7.1), but not without end. */
const TOO_LARGE = 2 ** 52;
const MAX_SIZE_DIGITS = 64;
/** One extension, and all of them in one body: they carry nothing for us, yet cost time (CVE-2023-39326). */
const MAX_EXTENSION_BYTES = 4096;
const MAX_EXTENSIONS_BYTES = 16_384;
/** Chunks up to this size are moved together, so that a body in tiny chunks is not forwarded in tiny writes. */
const COALESCE_BYTES = 2048;

const EXTENSIONS =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)+$/;

/**
 * Decodes a chunked body (RFC 9112 §7.1), strictly: hexadecimal size below 2^52, extensions well-formed and
 * bounded, CRLF exactly, trailers by the rules of header fields. Pull style: call `decode` until it says `more`
 * (everything was consumed), `done` or `fault`. Body bytes of small chunks are moved together inside the buffer that
 * is given, which therefore must be the caller's own.
 */
export class ChunkedDecoder implements BodyDecoder {
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  /** Only a further chunk or the last one tells. */
  readonly over = false;
  readonly left = Infinity;
  trailers: HeaderList | undefined = undefined;

  readonly #maxTrailerBytes: number;
  readonly #maxTrailerFields: number;
  #state: State = STATE.size;
  #digits = 0;
  /** Size while it is read, then what is left of the chunk. */
  #left = 0;
  #text = '';
  #extensionBytes = 0;

  constructor(maxTrailerBytes: number, maxTrailerFields: number) {
    this.#maxTrailerBytes = maxTrailerBytes;
    this.#maxTrailerFields = maxTrailerFields;
  }

  decode(buffer: Buffer): DecodeStep {
    this.dataStart = this.dataEnd = 0;
    while (this.#state < STATE.trailer) {
      if (this.at >= buffer.length) return this.#hasData() ? 'data' : 'more';
      if (this.#state === STATE.data) {
        if (!this.#takeData(buffer)) return 'data';
      } else {
        this.#takeByte(buffer);
      }
    }
    // What came before a fault or the end goes out first; the next call says the rest.
    if (this.#hasData()) return 'data';
    if (this.#state === STATE.trailer) this.#takeTrailer(buffer);
    if (this.#state === STATE.done) return 'done';
    return this.#state === STATE.trailer ? 'more' : 'fault';
  }

  #hasData(): boolean {
    return this.dataEnd > this.dataStart;
  }

  /** False: this piece cannot be joined to the one before; hand that out first. */
  #takeData(buffer: Buffer): boolean {
    const start = this.at;
    const length = Math.min(this.#left, buffer.length - start);
    if (!this.#hasData()) {
      this.dataStart = start;
      this.dataEnd = start + length;
    } else {
      if (length > COALESCE_BYTES) return false;
      buffer.copyWithin(this.dataEnd, start, start + length);
      this.dataEnd += length;
    }
    this.at = start + length;
    this.#left -= length;
    if (this.#left === 0) this.#state = STATE.dataCr;
    return true;
  }

  #takeByte(buffer: Buffer): void {
    const byte = buffer[this.at] as number;
    switch (this.#state) {
      case STATE.size: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          if (++this.#digits > MAX_SIZE_DIGITS) return this.#fail();
          this.#left = this.#left * 16 + digit;
          if (this.#left >= TOO_LARGE) return this.#fail();
          break;
        }
        if (this.#digits === 0) return this.#fail();
        if (byte === 13) this.#state = STATE.sizeEnd;
        else if (byte === 59) return this.#takeExtension(buffer);
        else return this.#fail();
        break;
      }
      case STATE.extension:
        return this.#takeExtension(buffer);
      case STATE.sizeEnd:
        if (byte !== 10) return this.#fail();
        this.#digits = 0;
        this.#state = this.#left === 0 ? STATE.trailer : STATE.data;
        break;
      case STATE.dataCr:
        if (byte !== 13) return this.#fail();
        this.#state = STATE.dataLf;
        break;
      case STATE.dataLf:
        if (byte !== 10) return this.#fail();
        this.#state = STATE.size;
        break;
      default:
        return this.#fail();
    }
    this.at++;
  }

  /** Collects up to CR; LF in it cannot match the grammar. */
  #takeExtension(buffer: Buffer): void {
    this.#state = STATE.extension;
    const cr = buffer.indexOf(13, this.at);
    const end = cr < 0 ? buffer.length : cr;
    this.#extensionBytes += end - this.at;
    if (this.#text.length + end - this.at > MAX_EXTENSION_BYTES) return this.#fail();
    if (this.#extensionBytes > MAX_EXTENSIONS_BYTES) return this.#fail();
    this.#text += buffer.toString('latin1', this.at, end);
    this.at = end;
    if (cr < 0) {
      // A line that never ends must not be waited for.
      if (this.#text.includes('\n')) this.#fail();
      return;
    }
    if (!EXTENSIONS.test(this.#text)) return this.#fail();
    this.#text = '';
    this.at++;
    this.#state = STATE.sizeEnd;
  }

  #takeTrailer(buffer: Buffer): void {
    // Ends at the first empty line, which may be split over buffers anywhere.
    const before = this.#text.length;
    const room = this.#maxTrailerBytes - before + 4;
    const piece = buffer.toString('latin1', this.at, Math.min(buffer.length, this.at + room));
    const text = this.#text + piece;
    const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n', Math.max(0, before - 3)) + 2;
    if (end === 1) {
      if (text.length > this.#maxTrailerBytes || breaksLines(text)) return this.#fail();
      this.#text = text;
      this.at += piece.length;
      return;
    }
    this.at += end + 2 - before;
    this.#text = '';
    if (end > 0) {
      const trailers = parseTrailers(text, end, this.#maxTrailerFields);
      if (trailers === undefined) return this.#fail();
      if (trailers.raw.length > 0) this.trailers = trailers;
    }
    this.#state = STATE.done;
  }

  #fail(): void {
    this.#state = STATE.fault;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
