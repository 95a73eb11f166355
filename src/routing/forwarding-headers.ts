import type { HeaderList } from './header-list.ts';

export interface ForwardedFacts {
  /** Address of the connection's peer. */
  readonly peer: string;
  /** The peer is in `trustedProxies`: what it says of earlier hops is believed and added to. */
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https';
  /** Host as the client sent it. */
  readonly authority: string;
}

/**
 * Names that say who the client is, or which path was meant (IIS, Symfony and Zend have gone by them: what is forwarded would
 * not be what was matched). Upstreams that read CGI-style variables cannot tell `_` from `-`, so the spellings with underscores
 * count too. `Proxy` is no field at all, but becomes the variable `HTTP_PROXY` there ("httpoxy", CVE-2016-5385).
 */
const forwardingName =
  /^(?:x[-_]forwarded[-_].*|forwarded|x[-_]real[-_]ip|x[-_](?:original|rewrite)[-_]url|proxy)$/i;

/**
 * Sets `X-Forwarded-For`, `-Proto` and `-Host`, and `Forwarded` (RFC 7239) where the client sent one. From a trusted hop they
 * are appended to or kept; from anyone else they are replaced, for a client could claim any address, scheme or path. `Proxy` goes in any
 * case.
 */
export function setForwardingHeaders(headers: HeaderList, facts: ForwardedFacts): void {
  const raw = headers.raw;
  let forwardedFor = '';
  let forwarded: string | undefined;
  let proto = false;
  let host = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const initial = name.charCodeAt(0) | 0x20;
    if (initial !== 0x78 && initial !== 0x66 && (initial !== 0x70 || name.length !== 5)) continue;
    if (!forwardingName.test(name)) continue;
    const lower = name.toLowerCase();
    const value = raw[i + 1] as string;
    if (lower === 'forwarded')
      forwarded = facts.trusted && forwarded !== undefined ? `${forwarded}, ${value}` : value;
    // A proxy writes them with `-`; it has passed on what a client wrote with `_`.
    if (facts.trusted && !name.includes('_')) {
      if (lower === 'x-forwarded-proto') proto = true;
      if (lower === 'x-forwarded-host') host = true;
      if (lower === 'x-forwarded-for') forwardedFor += `${value}, `;
      if (lower !== 'x-forwarded-for' && lower !== 'forwarded' && lower !== 'proxy') continue;
    }
    raw.splice(i, 2);
    i -= 2;
  }
  raw.push('x-forwarded-for', forwardedFor + facts.peer);
  if (!proto) raw.push('x-forwarded-proto', facts.scheme);
  if (!host && facts.authority !== '') raw.push('x-forwarded-host', facts.authority);
  if (forwarded !== undefined) {
    const own = `for=${node(facts.peer)};host="${facts.authority}";proto=${facts.scheme}`;
    raw.push('forwarded', facts.trusted ? `${forwarded}, ${own}` : own);
  }
}

/** RFC 7239 §6: an IPv6 address stands in brackets and quotes. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}
