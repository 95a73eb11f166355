import { visible } from './visible.ts';

/** What the access log says of one exchange. Empty strings stand for what did not come to pass. */
export interface AccessEntry {
  /** Unix milliseconds of the request's arrival. */
  readonly time: number;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly method: string;
  readonly host: string;
  /** Path without query: queries carry secrets. */
  readonly path: string;
  /** Only if asked for. */
  readonly query?: string;
  /** `HTTP/1.1` */
  readonly protocol: string;
  /** 0: no answer was sent; 499: the client went first. */
  readonly status: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly route: string;
  readonly upstream: string;
  readonly endpoint: string;
  readonly attempts: number;
  /** The middleware that answered. */
  readonly middleware: string;
  /** `ERR_…` of a local reply. */
  readonly code: string;
  readonly generation: number;
  readonly userAgent: string;
}

/** Makes lines; keeps the text of the second it is in. */
export type AccessLine = (entry: AccessEntry) => string;

/**
 * Lines end with a newline. JSON is built by hand, which takes two thirds of the time of JSON.stringify (bench/access-log.ts): the
 * shape is fixed, and one look at all strings together tells that none needs an escape.
 */
export function createAccessLine(format: 'json' | 'pretty'): AccessLine {
  const isoTime = createIsoTime();
  if (format === 'pretty') return (entry) => prettyLine(entry, isoTime(entry.time));
  return (entry) => {
    const quote = needsEscape.test(textsOf(entry)) ? quotedCarefully : quotedPlainly;
    return jsonLine(entry, isoTime(entry.time), quote);
  };
}

function textsOf(entry: AccessEntry): string {
  const { requestId, clientAddress, method, host, path, query = '', protocol } = entry;
  const { route, upstream, endpoint, middleware, code, userAgent } = entry;
  return (
    requestId +
    clientAddress +
    method +
    host +
    path +
    query +
    protocol +
    route +
    upstream +
    endpoint +
    middleware +
    code +
    userAgent
  );
}

function jsonLine(entry: AccessEntry, time: string, quote: (text: string) => string): string {
  const query = entry.query === undefined ? '' : `,"query":${quote(entry.query)}`;
  return (
    `{"time":"${time}","requestId":${quote(entry.requestId)},` +
    `"clientAddress":${quote(entry.clientAddress)},"method":${quote(entry.method)},"host":${quote(entry.host)},` +
    `"path":${quote(entry.path)}${query},"protocol":${quote(entry.protocol)},"status":${numeral(entry.status)},` +
    `"bytesIn":${numeral(entry.bytesIn)},"bytesOut":${numeral(entry.bytesOut)},` +
    `"durationMs":${numeral(roundedMs(entry.durationMs))},"route":${quote(entry.route)},` +
    `"upstream":${quote(entry.upstream)},"endpoint":${quote(entry.endpoint)},"attempts":${numeral(entry.attempts)},` +
    `"middleware":${quote(entry.middleware)},"code":${quote(entry.code)},` +
    `"generation":${numeral(entry.generation)},"userAgent":${quote(entry.userAgent)}}\n`
  );
}

function prettyLine(entry: AccessEntry, time: string): string {
  const target =
    entry.query === undefined || entry.query === '' ? entry.path : `${entry.path}?${entry.query}`;
  return (
    `${time} ${bare(entry.clientAddress)} ${bare(entry.method)} ${bare(entry.host)}${bare(target)} ` +
    `${numeral(entry.status)} ${numeral(entry.bytesOut)}B ${numeral(roundedMs(entry.durationMs))}ms ` +
    `${bare(entry.route)} ${bare(entry.endpoint)} ${bare(entry.middleware)} ${bare(entry.code)} ${bare(entry.requestId)}\n`
  );
}

function bare(text: string): string {
  return text === '' ? '-' : quotedCarefully(text).slice(1, -1).replaceAll(' ', '\\u0020');
}

/** Whatever is not printable ASCII is looked at more closely. */
const needsEscape = /["\\\u0000-\u001f\u007f-\uffff]/;

function quotedPlainly(text: string): string {
  return `"${text}"`;
}

function quotedCarefully(text: string): string {
  return visible(JSON.stringify(text));
}

function numeral(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** Unix milliseconds as ISO 8601; making the same second's text anew for each line would be a good part of its cost. */
function createIsoTime(): (time: number) => string {
  let second = NaN;
  let text = '';
  return (time) => {
    const ofTime = Math.floor(time / 1_000);
    if (ofTime !== second) {
      second = ofTime;
      text = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    return `${text}${String(Math.floor(time - second * 1_000)).padStart(3, '0')}Z`;
  };
}
