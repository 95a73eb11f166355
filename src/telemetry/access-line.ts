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

/** One line, ended by a newline. JSON by hand: the shape is fixed and most strings need no escaping (bench/access-log.ts). */
export function accessLine(entry: AccessEntry, format: 'json' | 'pretty'): string {
  return format === 'json' ? jsonLine(entry) : prettyLine(entry);
}

function jsonLine(entry: AccessEntry): string {
  const query = entry.query === undefined ? '' : `,"query":${quoted(entry.query)}`;
  return (
    `{"time":"${isoTime(entry.time)}","requestId":${quoted(entry.requestId)},` +
    `"clientAddress":${quoted(entry.clientAddress)},"method":${quoted(entry.method)},"host":${quoted(entry.host)},` +
    `"path":${quoted(entry.path)}${query},"protocol":${quoted(entry.protocol)},"status":${numeral(entry.status)},` +
    `"bytesIn":${numeral(entry.bytesIn)},"bytesOut":${numeral(entry.bytesOut)},` +
    `"durationMs":${numeral(roundedMs(entry.durationMs))},"route":${quoted(entry.route)},` +
    `"upstream":${quoted(entry.upstream)},"endpoint":${quoted(entry.endpoint)},"attempts":${numeral(entry.attempts)},` +
    `"middleware":${quoted(entry.middleware)},"code":${quoted(entry.code)},` +
    `"generation":${numeral(entry.generation)},"userAgent":${quoted(entry.userAgent)}}\n`
  );
}

function prettyLine(entry: AccessEntry): string {
  const bare = (text: string): string =>
    text === '' ? '-' : quoted(text).slice(1, -1).replaceAll(' ', '\\u0020');
  const target =
    entry.query === undefined || entry.query === '' ? entry.path : `${entry.path}?${entry.query}`;
  return (
    `${isoTime(entry.time)} ${bare(entry.clientAddress)} ${bare(entry.method)} ${bare(entry.host)}${bare(target)} ` +
    `${numeral(entry.status)} ${numeral(entry.bytesOut)}B ${numeral(roundedMs(entry.durationMs))}ms ` +
    `${bare(entry.route)} ${bare(entry.endpoint)} ${bare(entry.middleware)} ${bare(entry.code)} ${bare(entry.requestId)}\n`
  );
}

/** What may stand in a JSON string as it is. DEL and C1 controls are legal there, but would steer a terminal. */

const needsEscape = /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/;

const steering = /[\u007f-\u009f\u2028\u2029]/g;

function quoted(text: string): string {
  if (!needsEscape.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(
    steering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function numeral(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
