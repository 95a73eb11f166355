import { Buffer, isUtf8 } from 'node:buffer';

export type DecodedFile =
  | { readonly bytes: Buffer }
  /** `offset`: where in the text (after a byte order mark) the first bad byte stands, with `text` up to it as latin1. */
  | { readonly message: string; readonly hint?: string; readonly before: string };

/** What no YAML file may hold (YAML 1.2.2 §5.1, c-printable), as UTF-8 bytes read as latin1: C0 but tab and line ends, DEL, C1 but NEL. */
const unprintable = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x84\x86-\x9f]/;

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
    return { message: 'is not UTF-8', before: bytes.toString('latin1', 0, firstInvalid(bytes)) };
  }
  const text = bytes.toString('latin1');
  const at = text.search(unprintable);
  if (at >= 0) {
    const code = text.charCodeAt(text[at] === '\xc2' ? at + 1 : at);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    return { message: `has a control character (${name})`, before: text.slice(0, at) };
  }
  return { bytes: text.includes('\r') ? Buffer.from(text.replace(/\r\n?/g, '\n'), 'latin1') : bytes };
}

function startsWith(bytes: Buffer, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

/** The length of the longest valid beginning, by bisection: a beginning may end inside a character, so three bytes more are tried. */
function firstInvalid(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    if (isValidBeginning(bytes, middle)) good = middle;
    else bad = middle - 1;
  }
  return good;
}

function isValidBeginning(bytes: Buffer, length: number): boolean {
  for (let back = 0; back <= Math.min(3, length); back++) {
    // Bytes of a character that is cut off are fine only if they could begin one: a lead byte, then continuations.
    if (isUtf8(bytes.subarray(0, length - back)) && isCutCharacter(bytes, length - back, length)) return true;
  }
  return false;
}

function isCutCharacter(bytes: Buffer, from: number, to: number): boolean {
  if (from === to) return true;
  const lead = bytes[from] as number;
  const needs = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (lead < 0xc2 || lead >= 0xf5 || to - from >= needs) return false;
  for (let i = from + 1; i < to; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return false;
  return true;
}
