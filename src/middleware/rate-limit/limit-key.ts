import type { Exchange } from '../contract.ts';
import { claimAt, claimText } from '../claims.ts';

/** What requests that share a bucket have in common; exactly one member each. */
export type KeyPart =
  | { readonly claim: string }
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly clientAddress: object }
  | { readonly route: object };

/** `Reject` the request, use the client's `Address` instead, or `Skip` the limit. */
export type OnMissingKey = 'Reject' | 'Address' | 'Skip';

type PartReader = (exchange: Exchange) => string | undefined;

/**
 * Compiles the key: different lists of parts never give the same text. Undefined: a part is missing, and the client's
 * address does not stand in for it.
 */
export function compileLimitKey(parts: readonly KeyPart[], onMissing: OnMissingKey): PartReader {
  const readers = parts.map(readerOf);
  const read = readers.length === 1 ? (readers[0] as PartReader) : joining(readers);
  if (onMissing !== 'Address') return read;
  return (exchange) => {
    const key = read(exchange);
    // Marked apart, so that nobody empties an address's bucket by sending the address as a key.
    return key === undefined ? `address ${networkOf(exchange.clientAddress)}` : `key ${key}`;
  };
}

/** The parts in words, for `explain`. */
export function describeLimitKey(parts: readonly KeyPart[]): string {
  return parts
    .map((part) =>
      Object.entries(part).map(([kind, name]) => (typeof name === 'string' ? `${kind} ${name}` : kind)),
    )
    .join(', ');
}

function readerOf(part: KeyPart): PartReader {
  if ('claim' in part) {
    const { claim } = part;
    return ({ claims }) => (claims === undefined ? undefined : claimText(claimAt(claims, claim)));
  }
  if ('header' in part) {
    const name = part.header.toLowerCase();
    return ({ requestHeaders }) => {
      const first = requestHeaders.indexOf(name, 0);
      if (first < 0) return undefined;
      if (requestHeaders.indexOf(name, first + 2) < 0) return requestHeaders.raw[first + 1];
      return requestHeaders.getAll(name).join(', ');
    };
  }
  if ('cookie' in part) {
    const { cookie } = part;
    return (exchange) => cookieOf(exchange, cookie);
  }
  return 'route' in part ? ({ route }) => route : ({ clientAddress }) => networkOf(clientAddress);
}

/** Each part behind its length, so that no part can pretend to be two. */
function joining(readers: readonly PartReader[]): PartReader {
  return (exchange) => {
    let key = '';
    for (const read of readers) {
      const part = read(exchange);
      if (part === undefined) return undefined;
      key += `${part.length}:${part}`;
    }
    return key;
  };
}

/** The first cookie of this name (RFC 6265 §5.4). */
function cookieOf({ requestHeaders }: Exchange, name: string): string | undefined {
  for (const field of requestHeaders.getAll('cookie')) {
    for (const pair of field.split(';')) {
      const equals = pair.indexOf('=');
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
    }
  }
  return undefined;
}

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, since whoever has one has all behind it. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const groups = before === '' ? [] : before.split(':');
  if (after !== undefined) {
    const tail = after === '' ? [] : after.split(':');
    // A dotted end stands for two groups.
    const behind = tail.length + (tail.at(-1)?.includes('.') === true ? 1 : 0);
    for (let missing = 8 - groups.length - behind; missing > 0; missing--) groups.push('0');
    groups.push(...tail);
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
