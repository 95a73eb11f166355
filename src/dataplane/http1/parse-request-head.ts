import { HeadFault, REQUEST_FAULTS } from './fault.ts';
import { isAuthority, sameAuthority } from './authority.ts';
import type { FieldScan } from './scan-fields.ts';
import { breaksLines, listHas, parseContentLength, scanFields } from './scan-fields.ts';
import type { Framing, RequestHead } from './types.ts';

/** Method, one blank, target of visible ASCII without `#` (a fragment is never sent), one blank, version; RFC 9112 §3. */
const REQUEST_LINE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!"$-~]+ HTTP\/[0-9]\.[0-9]\r\n/y;
/** Of ` HTTP/1.1` and CRLF. */
const VERSION_LENGTH = 11;
const VERSIONED = /^[^ ]+ [^ ]+ HTTP\/[0-9]\.[0-9]$/;
const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/i;
const CHUNKED_LAST =
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[\t ]*,[\t ]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*[\t ]*,[\t ]*chunked$/i;

export interface HeadLimits {
  readonly targetBytes: number;
  readonly headerFields: number;
}

/**
 * Parses a request head, strictly (RFC 9112). `text` is latin1; the head begins at 0 and `end` is where the empty line
 * that ends it begins, so that every line before ends in CRLF. Anything ambiguous is a fault.
 */
export function parseRequestHead(text: string, end: number, limits: HeadLimits): RequestHead | HeadFault {
  const line = parseRequestLine(text, limits);
  if (line instanceof HeadFault) return line;
  const scan = scanFields(text, line.length, end, limits.headerFields);
  if (scan === 'invalid') return REQUEST_FAULTS.field;
  if (scan === 'too-many') return REQUEST_FAULTS.headTooLarge;
  return assemble(line.method, line.target, line.version, scan);
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: 0 | 1;
  /** With its CRLF. */
  readonly length: number;
}

function parseRequestLine(text: string, limits: HeadLimits): RequestLine | HeadFault {
  REQUEST_LINE.lastIndex = 0;
  if (!REQUEST_LINE.test(text)) return requestLineFault(text.slice(0, text.indexOf('\r\n')), limits);
  const length = REQUEST_LINE.lastIndex;
  const blank = text.indexOf(' ');
  const method = text.slice(0, blank);
  const target = text.slice(blank + 1, length - VERSION_LENGTH);
  if (target.length > limits.targetBytes) return REQUEST_FAULTS.targetTooLong;
  const major = text[length - 5];
  if (major !== '1') return major === '0' ? REQUEST_FAULTS.version : REQUEST_FAULTS.versionUnsupported;
  const minor = text[length - 3];
  if (minor !== '1' && minor !== '0') return REQUEST_FAULTS.version;
  if (method === 'CONNECT') return REQUEST_FAULTS.connect;
  return { method, target, version: minor === '1' ? 1 : 0, length };
}

function assemble(
  method: string,
  rawTarget: string,
  version: 0 | 1,
  scan: FieldScan,
): RequestHead | HeadFault {
  if (scan.repeated !== undefined) {
    return scan.repeated === 'host' ? REQUEST_FAULTS.host : REQUEST_FAULTS.framing;
  }
  let authority = scan.host;
  if (authority === undefined ? version === 1 : !isAuthority(authority)) return REQUEST_FAULTS.host;

  let target = rawTarget;
  if (rawTarget.charCodeAt(0) !== 47) {
    if (rawTarget === '*') {
      if (method !== 'OPTIONS') return REQUEST_FAULTS.target;
    } else {
      const absolute = ABSOLUTE.exec(rawTarget);
      if (absolute === null || !isAuthority(absolute[2] as string)) return REQUEST_FAULTS.target;
      const scheme = (absolute[1] as string).length === 4 ? 'http' : 'https';
      const named = absolute[2] as string;
      if (authority !== undefined && !sameAuthority(named, authority, scheme)) return REQUEST_FAULTS.host;
      authority ??= named;
      target = originForm(method, absolute[3] as string);
    }
  }

  let framing: Framing = 'none';
  let contentLength = -1;
  if (scan.transferEncoding !== undefined) {
    // Both lengths, or a coding that HTTP/1.0 does not know: the next hop may read it otherwise (RFC 9112 §6.1).
    if (scan.contentLength !== undefined || version === 0) return REQUEST_FAULTS.framing;
    if (scan.transferEncoding.toLowerCase() !== 'chunked') {
      const unknown = CHUNKED_LAST.test(scan.transferEncoding) && !hasChunkedTwice(scan.transferEncoding);
      return unknown ? REQUEST_FAULTS.transferCoding : REQUEST_FAULTS.framing;
    }
    framing = 'chunked';
  } else if (scan.contentLength !== undefined) {
    contentLength = parseContentLength(scan.contentLength);
    if (contentLength < 0) return REQUEST_FAULTS.framing;
    framing = 'length';
  }

  let expectContinue = false;
  if (scan.expect !== undefined && version === 1) {
    if (scan.expect.toLowerCase() !== '100-continue') return REQUEST_FAULTS.expectation;
    expectContinue = framing === 'chunked' || contentLength > 0;
  }

  const headers = scan.toHeaders();
  // HTTP/1.0 with an absolute target: what is matched by is what is forwarded.
  if (scan.host === undefined && authority !== undefined) headers.add('host', authority);

  const connection = scan.connection;
  const keepAlive = persistent(version, connection);
  const upgrade =
    scan.upgrade !== undefined && version === 1 && connection !== undefined && listHas(connection, 'upgrade')
      ? scan.upgrade.toLowerCase()
      : undefined;
  return {
    method,
    target,
    authority: authority ?? '',
    version,
    headers,
    framing,
    contentLength,
    keepAlive,
    upgrade,
    expectContinue,
  };
}

/** RFC 9112 §9.3. */
export function persistent(version: 0 | 1, connection: string | undefined): boolean {
  if (connection === undefined) return version === 1;
  if (listHas(connection, 'close')) return false;
  return version === 1 || listHas(connection, 'keep-alive');
}

/** RFC 9112 §3.2.4: OPTIONS for a whole server is `*`; any other empty path is `/`. */
function originForm(method: string, rest: string): string {
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.charCodeAt(0) === 47 ? rest : `/${rest}`;
}

function hasChunkedTwice(codings: string): boolean {
  return codings.toLowerCase().split('chunked').length > 2;
}

/** Says as exactly as possible what is wrong with a line that is none; nothing of it is used. */
function requestLineFault(line: string, limits: HeadLimits): HeadFault {
  if (VERSIONED.test(line) && !breaksLines(line)) {
    const target = line.slice(line.indexOf(' ') + 1, line.lastIndexOf(' '));
    return target.length > limits.targetBytes ? REQUEST_FAULTS.targetTooLong : REQUEST_FAULTS.target;
  }
  return REQUEST_FAULTS.requestLine;
}

/**
 * A head that has not ended yet, all of it so far in `text`: must it be refused already? Waiting for the rest of
 * something that can never be valid would only hold the connection; `full`: no further byte is allowed.
 */
export function beginningFault(text: string, full: boolean, limits: HeadLimits): HeadFault | undefined {
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd < 0) {
    if (breaksLines(text)) return REQUEST_FAULTS.requestLine;
    return full ? REQUEST_FAULTS.targetTooLong : undefined;
  }
  const lines = text.slice(0, text.lastIndexOf('\r\n') + 2);
  const parsed = parseRequestLine(lines, limits);
  if (parsed instanceof HeadFault) return parsed;
  if (breaksLines(text.slice(lineEnd)) || isInvalid(lines, lineEnd + 2, limits)) return REQUEST_FAULTS.field;
  return full ? REQUEST_FAULTS.headTooLarge : undefined;
}

function isInvalid(lines: string, from: number, limits: HeadLimits): boolean {
  return scanFields(lines, from, lines.length, limits.headerFields) === 'invalid';
}
