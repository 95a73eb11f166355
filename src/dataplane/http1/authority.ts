/**
 * Host and authority (RFC 9110 §7.2, RFC 3986 §3.2): a registered name, IPv4 or bracketed IP literal, and a port. No
 * user information and never empty: what a gateway routes by must name a host.
 */
const PLAIN = /^[A-Za-z0-9._-]+(?::([0-9]{1,5}))?$/;
const REGISTERED_NAME = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+(?::([0-9]{0,5}))?$/;
const IP_LITERAL =
  /^\[(?:[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9\-._~]+)?|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\](?::([0-9]{0,5}))?$/;

export function isAuthority(value: string): boolean {
  const found = PLAIN.exec(value) ?? REGISTERED_NAME.exec(value) ?? IP_LITERAL.exec(value);
  if (found === null) return false;
  const port = found[1];
  return port === undefined || port === '' || Number(port) <= 65535;
}

/** Do the authority of an absolute-form target and Host name the same? The scheme's default port may be left out. */
export function sameAuthority(a: string, b: string, scheme: 'http' | 'https'): boolean {
  if (a === b) return true;
  const port = scheme === 'http' ? ':80' : ':443';
  return withoutPort(a.toLowerCase(), port) === withoutPort(b.toLowerCase(), port);
}

function withoutPort(authority: string, port: string): string {
  if (authority.endsWith(port)) return authority.slice(0, -port.length);
  return authority.endsWith(':') ? authority.slice(0, -1) : authority;
}
