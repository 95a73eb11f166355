import type { ResponseFault } from './fault.ts';
import { RESPONSE_FAULTS } from './fault.ts';
import { persistent } from './parse-request-head.ts';
import { listHas, parseContentLength, scanFields } from './scan-fields.ts';
import type { Framing, ResponseHead1 } from './types.ts';

/** RFC 9112 §4; the blank after the status may be missing where the reason is (seen from real servers). */
const STATUS_LINE = /HTTP\/1\.[01] [1-5][0-9][0-9](?: [\t -~\x80-\xff]*)?\r\n/y;

/**
 * Parses a response head, strictly. `text` is latin1, begins with the status line, and `end` is where the empty line
 * begins. `method` is the request's: it decides whether there is a body (RFC 9112 §6.3).
 */
export function parseResponseHead(
  text: string,
  end: number,
  method: string,
  maxFields: number,
): ResponseHead1 | ResponseFault {
  STATUS_LINE.lastIndex = 0;
  if (!STATUS_LINE.test(text)) return RESPONSE_FAULTS.statusLine;
  const lineEnd = STATUS_LINE.lastIndex;
  const version = text[7] === '1' ? 1 : 0;
  const status = Number(text.slice(9, 12));
  const scan = scanFields(text, lineEnd, end, maxFields);
  if (scan === 'invalid') return RESPONSE_FAULTS.field;
  if (scan === 'too-many') return RESPONSE_FAULTS.headTooLarge;
  if (scan.repeated === 'content-length') return RESPONSE_FAULTS.framing;

  let framing: Framing = 'close';
  let contentLength = -1;
  if (scan.contentLength !== undefined) {
    contentLength = parseContentLength(scan.contentLength);
    if (contentLength < 0) return RESPONSE_FAULTS.framing;
    framing = 'length';
  }
  if (scan.transferEncoding !== undefined) {
    if (scan.contentLength !== undefined || version === 0) return RESPONSE_FAULTS.framing;
    if (scan.transferEncoding.toLowerCase() !== 'chunked') return RESPONSE_FAULTS.framing;
    framing = 'chunked';
  }
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) {
    framing = 'none';
    contentLength = -1;
  }

  const connection = scan.connection;
  return {
    status,
    reason: text.slice(13, Math.max(13, lineEnd - 2)),
    version,
    headers: scan.toHeaders(),
    framing,
    contentLength,
    keepAlive: framing !== 'close' && persistent(version, connection),
    upgrade:
      scan.upgrade !== undefined && connection !== undefined && listHas(connection, 'upgrade')
        ? scan.upgrade.toLowerCase()
        : undefined,
  };
}
