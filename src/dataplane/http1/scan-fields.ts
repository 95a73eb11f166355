import { HeaderList } from '../../routing/header-list.ts';
import { isField } from '../../routing/is-field.ts';

/**
 * Field lines (RFC 9112 §5), strictly: token, colon at once, visible latin1, blanks and tabs, CRLF. One pass of this
 * over the whole section refuses folded lines, bare CR or LF, control bytes, blanks around names, all at once.
 */
const FIELD_LINES = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*/y;

/** What a field section holds, and where the fields that a codec must act on are. */
export class FieldScan {
  readonly raw: string[] = [];
  /** Values of the fields that decide framing and routing; undefined: absent. */
  contentLength: string | undefined = undefined;
  transferEncoding: string | undefined = undefined;
  /** Several lines are joined by `, `. */
  connection: string | undefined = undefined;
  host: string | undefined = undefined;
  expect: string | undefined = undefined;
  upgrade: string | undefined = undefined;
  /** A field that must not be repeated was: Host, Content-Length (even if equal: the strict reading of §6.3). */
  repeated: 'host' | 'content-length' | undefined = undefined;

  toHeaders(): HeaderList {
    return new HeaderList(this.raw);
  }
}

/**
 * Reads the field lines in `text` (latin1) from `from` up to `to`; each ends in CRLF.
 * Returns 'invalid' for a line that is not strictly valid and 'too-many' beyond `maxFields`.
 */
export function scanFields(
  text: string,
  from: number,
  to: number,
  maxFields: number,
): FieldScan | 'invalid' | 'too-many' {
  FIELD_LINES.lastIndex = from;
  FIELD_LINES.test(text);
  if (FIELD_LINES.lastIndex !== to) return 'invalid';
  const scan = new FieldScan();
  const raw = scan.raw;
  const maxRaw = maxFields * 2;
  let at = from;
  while (at < to) {
    const colon = text.indexOf(':', at);
    const lineEnd = text.indexOf('\r', colon);
    let start = colon + 1;
    let end = lineEnd;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    if (raw.length === maxRaw) return 'too-many';
    const name = text.slice(at, colon);
    const value = text.slice(start, end);
    raw.push(name, value);
    const length = colon - at;
    if (length === 4 || length === 6 || length === 7 || length === 10 || length === 14 || length === 17) {
      note(scan, name, length, value);
      // Optional white space (RFC 9110 §5.6.3), yet llhttp takes `chunked` with a tab behind it for another coding.
      if (length === 17 && text.charCodeAt(lineEnd - 1) === 9 && name.toLowerCase() === 'transfer-encoding') {
        return 'invalid';
      }
    }
    at = lineEnd + 2;
  }
  return scan;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function note(scan: FieldScan, name: string, length: number, value: string): void {
  switch (length) {
    case 4:
      if (!isField(name, 'host')) return;
      if (scan.host !== undefined) scan.repeated = 'host';
      scan.host = value;
      return;
    case 6:
      if (isField(name, 'expect')) scan.expect = join(scan.expect, value);
      return;
    case 7:
      if (isField(name, 'upgrade')) scan.upgrade = join(scan.upgrade, value);
      return;
    case 10:
      if (isField(name, 'connection')) scan.connection = join(scan.connection, value);
      return;
    case 14:
      if (!isField(name, 'content-length')) return;
      if (scan.contentLength !== undefined) scan.repeated ??= 'content-length';
      scan.contentLength = value;
      return;
    default:
      if (isField(name, 'transfer-encoding')) scan.transferEncoding = join(scan.transferEncoding, value);
  }
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}

/** Does the comma-separated `list` hold `token` (lower-case)? */
export function listHas(list: string, token: string): boolean {
  if (list.length < token.length) return false;
  if (list.length === token.length) return list.toLowerCase() === token;
  if (!list.includes(',')) return false;
  for (const element of list.split(',')) {
    if (element.trim().toLowerCase() === token) return true;
  }
  return false;
}

/** 1 to 15 digits, so that it is exact as a number; -1 for anything else. */
export function parseContentLength(value: string): number {
  const length = value.length;
  if (length === 0 || length > 15) return -1;
  let result = 0;
  for (let i = 0; i < length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    result = result * 10 + digit;
  }
  return result;
}

/** A CR or LF that stands alone, or a control byte: no further byte can make a head of it. A CR at the end may go on. */
const BROKEN = /(?:^|[^\r])\n|\r[^\n]|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Must a beginning of a head (or trailer section) be refused already, rather than waited for? */
export function breaksLines(text: string): boolean {
  return BROKEN.test(text);
}
