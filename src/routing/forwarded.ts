import { addressText, compareAddresses, parseAddress } from './address.ts';
import type { Address } from './address.ts';

/** The hops whose forwarding headers are believed. */
export interface TrustedProxies {
  /** Whether the list is empty: nobody is trusted. */
  readonly isEmpty: boolean;
  /** `address` in any usual spelling; what is no address is not trusted. */
  has(address: string): boolean;
}

/** Not an address and not a CIDR block. */
export class CidrError extends Error {
  override readonly name = 'CidrError';
}

interface Range {
  readonly first: Address;
  readonly last: Address;
}

/**
 * Compiles addresses and CIDR blocks (`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`); a block may be written with host bits set.
 * A look-up is a binary search over the merged blocks.
 * @throws CidrError
 */
export function compileTrusted(blocks: readonly string[]): TrustedProxies {
  const ranges = merge(blocks.map(parseBlock));
  const includes = (address: Address): boolean => {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAddresses((ranges[middle] as Range).last, address) < 0) low = middle + 1;
      else high = middle;
    }
    const range = ranges[low];
    return range !== undefined && compareAddresses(range.first, address) <= 0;
  };
  return {
    isEmpty: ranges.length === 0,
    has: (text) => {
      if (ranges.length === 0) return false;
      const address = parseAddress(text);
      return address !== undefined && includes(address);
    },
  };
}

/**
 * The client of a request whose peer is trusted: the rightmost address of `X-Forwarded-For` that is not, because whatever stands
 * left of it came from outside; the leftmost if all are trusted. An entry that is no address ends the search at
 * the hop that reported it. `values`: the fields in the order received. Canonical text.
 */
export function clientAddress(peer: string, values: readonly string[], trusted: TrustedProxies): string {
  let client = canonical(peer);
  if (!trusted.has(peer)) return client;
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i] as string;
    for (let end = value.length; end >= 0;) {
      const comma = end === 0 ? -1 : value.lastIndexOf(',', end - 1);
      const entry = value.slice(comma + 1, end).trim();
      end = comma;
      // Empty elements of a list mean nothing (RFC 9110 §5.6.1).
      if (entry === '') continue;
      const address = parseHop(entry);
      if (address === undefined) return client;
      client = addressText(address);
      if (!trusted.has(client)) return client;
    }
  }
  return client;
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : addressText(address);
}

/** An address as proxies write it: alone, with a port, in brackets. */
function parseHop(entry: string): Address | undefined {
  if (entry.startsWith('[')) {
    const close = entry.indexOf(']');
    if (close < 0 || !/^(?::\d{1,5})?$/.test(entry.slice(close + 1))) return undefined;
    return parseAddress(entry.slice(1, close));
  }
  const colon = entry.indexOf(':');
  const isV4WithPort =
    colon > 0 && colon === entry.lastIndexOf(':') && /^\d{1,5}$/.test(entry.slice(colon + 1));
  return parseAddress(isV4WithPort ? entry.slice(0, colon) : entry);
}

function parseBlock(block: string): Range {
  const slash = block.indexOf('/');
  const text = slash < 0 ? block : block.slice(0, slash);
  const address = parseAddress(text);
  if (address === undefined) throw new CidrError(`"${block}" is neither an IP address nor a CIDR block`);
  if (slash < 0) return { first: address, last: address };
  const width = text.includes(':') ? 128 : 32;
  const digits = block.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity;
  if (bits > width) throw new CidrError(`"${block}" has no prefix length from 0 to ${width}`);
  const fixed = bits + 128 - width;
  const bound = (fill: 0 | 1): Address => {
    const word = (index: 0 | 1 | 2 | 3): number => {
      const kept = Math.min(32, Math.max(0, fixed - 32 * index));
      const mask = kept === 0 ? 0 : (0xffffffff << (32 - kept)) >>> 0;
      return ((address[index] & mask) | (fill === 1 ? ~mask : 0)) >>> 0;
    };
    return [word(0), word(1), word(2), word(3)];
  };
  return { first: bound(0), last: bound(1) };
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of [...ranges].sort((a, b) => compareAddresses(a.first, b.first))) {
    const previous = merged.at(-1);
    if (previous === undefined || compareAddresses(previous.last, range.first) < 0) merged.push(range);
    else if (compareAddresses(previous.last, range.last) < 0)
      merged[merged.length - 1] = { first: previous.first, last: range.last };
  }
  return merged;
}
