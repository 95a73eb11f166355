import { Buffer, isUtf8 } from 'node:buffer';

export type DecodedFile = { readonly bytes: Buffer } | UndecodedFile;

export interface UndecodedFile {
  readonly message: string;
  readonly hint?: string;
  /** The text up to what is wrong; empty if it is the file as such. */
  readonly before: string;
}

/** What no YAML file may hold (YAML 1.2.2 §5.1, c-printable), as UTF-8 bytes read as latin1: C0 but tab and line ends, DEL, C1 but NEL. */
const unprintable = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x84\x86-\x9f]/;

/** Bytes that can begin one of these: the fast way through 5 MB that hold none. */
const suspicious = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\xc2]/;

/** UTF-8 without a byte order mark, with LF line ends; or what makes it no text. */
export function decodeFile(file: Buffer, maxBytes: number): DecodedFile {
  if (file.length > maxBytes) {
    return { message: `has ${file.length} bytes; a file may have at most ${maxBytes}`, before: '' };
  }
  if (startsWith(file, [0xff, 0xfe]) || startsWith(file, [0xfe, 0xff])) {
    return { message: 'is not UTF-8 but UTF-16 or UTF-32', hint: 'save it as UTF-8', before: '' };
  }
  const bytes = startsWith(file, [0xef, 0xbb, 0xbf]) ? file.subarray(3) : file;
  if (!isUtf8(bytes)) {
    return { message: 'is not UTF-8', before: bytes.toString('utf8', 0, firstInvalid(bytes)) };
  }
  const text = bytes.toString('latin1');
  const at = suspicious.test(text) ? text.search(unprintable) : -1;
  if (at >= 0) {
    const code = text.charCodeAt(text[at] === '\xc2' ? at + 1 : at);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    return { message: `has a control character (${name})`, before: bytes.toString('utf8', 0, at) };
  }
  return { bytes: text.includes('\r') ? Buffer.from(text.replace(/\r\n?/g, '\n'), 'latin1') : bytes };
}

function startsWith(bytes: Buffer, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

/** Where the first byte stands that begins no character. */
function firstInvalid(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length > 1 && !isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}
