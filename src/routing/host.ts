import { addressText, parseAddress } from './address.ts';

/** A name in lower case with at least one label, nothing to strip. */
const CLEAN = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;
const MAX_LENGTH = 253;

/**
 * The host of an authority (`Example.org.:8080` → `example.org`): lower case, without port and trailing dot; an IPv6 literal in
 * its canonical form in brackets. '' stays '' (HTTP/1.0 without Host). Undefined: refused (user information, escapes,
 * empty labels, bytes above ASCII, a port that is none), for what an upstream makes of such a host is anybody's guess.
 */
export function parseHost(authority: string): string | undefined {
  if (authority === '') return authority;
  if (authority.charCodeAt(0) === 0x5b) return parseLiteral(authority);
  const colon = authority.indexOf(':');
  if (colon >= 0 && !isPort(authority, colon)) return undefined;
  const name = colon < 0 ? authority : authority.slice(0, colon);
  return parseName(name);
}

/**
 * The form of a route's hostname in a table: as `parseHost` gives it, `*.` kept in front. Undefined: no request can have it.
 */
export function parseHostname(hostname: string): string | undefined {
  const isWildcard = hostname.startsWith('*.');
  const name = isWildcard ? hostname.slice(2) : hostname;
  if (name.startsWith('[')) return isWildcard ? undefined : parseLiteral(name);
  const parsed = parseName(name);
  return parsed === undefined || !isWildcard ? parsed : `*.${parsed}`;
}

function parseName(name: string): string | undefined {
  if (CLEAN.test(name)) return name.length <= MAX_LENGTH ? name : undefined;
  const lower = (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
  return CLEAN.test(lower) && lower.length <= MAX_LENGTH ? lower : undefined;
}

/** `[IPv6]` and perhaps a port. */
function parseLiteral(authority: string): string | undefined {
  const close = authority.indexOf(']');
  if (close < 0) return undefined;
  if (close + 1 < authority.length && !(authority[close + 1] === ':' && isPort(authority, close + 1)))
    return undefined;
  const inside = authority.slice(1, close);
  const address = inside.includes(':') ? parseAddress(inside) : undefined;
  if (address === undefined) return undefined;
  const text = addressText(address);
  // An IPv4-mapped address reads like the IPv4 address that it is.
  return text.includes(':') ? `[${text}]` : text;
}

/** Whether the text behind the colon is a port or empty (RFC 3986 §3.2.3). */
function isPort(authority: string, colon: number): boolean {
  const digits = authority.length - colon - 1;
  if (digits > 5) return false;
  let port = 0;
  for (let i = colon + 1; i < authority.length; i++) {
    const digit = authority.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65535;
}
