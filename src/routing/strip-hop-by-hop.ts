import type { HeaderList } from './header-list.ts';

/**
 * Fields that a client may not have taken away by naming them in `Connection`: a gateway sets or trusts them for the
 * upstream's decisions, and a client that could remove them would choose what the upstream believes
 * (`Connection: close, x-forwarded-for`). Go's ReverseProxy re-adds its own afterwards for the same reason.
 */
const PROTECTED = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'forwarded',
  'host',
  'set-cookie',
  'traceparent',
  'tracestate',
  'via',
  'x-request-id',
]);

/**
 * Removes what ends at this hop (RFC 9110 §7.6.1): Connection and the fields it names, Keep-Alive, Proxy-Connection, TE,
 * Trailer, Transfer-Encoding, Upgrade. `Proxy-Authenticate` and `Proxy-Authorization` stay, they are not for us.
 * Must run before a gateway adds fields of its own; protected ones and `x-forwarded-*` stay even if named.
 */
export function stripHopByHop(headers: HeaderList): void {
  const raw = headers.raw;
  let named: Set<string> | undefined;
  let to = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const length = name.length;
    if (length === 2 || length === 7 || length === 10 || length === 16 || length === 17) {
      const lower = name.toLowerCase();
      if (lower === 'connection') named = namedBy(raw[i + 1] as string, named);
      if (isHopByHop(lower)) continue;
    }
    if (to !== i) {
      raw[to] = name;
      raw[to + 1] = raw[i + 1] as string;
    }
    to += 2;
  }
  raw.length = to;
  if (named !== undefined) dropNamed(raw, named);
}

/** In one pass, however many there are: a client may name thousands. */
function dropNamed(raw: string[], named: ReadonlySet<string>): void {
  let to = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (named.has(name.toLowerCase())) continue;
    raw[to] = name;
    raw[to + 1] = raw[i + 1] as string;
    to += 2;
  }
  raw.length = to;
}

function isHopByHop(lower: string): boolean {
  switch (lower) {
    case 'te':
    case 'trailer':
    case 'upgrade':
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
      return true;
    default:
      return false;
  }
}

function namedBy(value: string, before: Set<string> | undefined): Set<string> | undefined {
  // What nearly all of them say.
  if (value === 'keep-alive' || value === 'close') return before;
  let named = before;
  for (const element of value.toLowerCase().split(',')) {
    const name = element.trim();
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'upgrade') continue;
    if (PROTECTED.has(name) || name.startsWith('x-forwarded-')) continue;
    named ??= new Set();
    named.add(name);
  }
  return named;
}
