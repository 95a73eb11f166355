import { isIP } from 'node:net';

/**
 * Whether a request to the admin address names a host that it may: a loopback name or address, or the host that is listened
 * on. A browser lured to a page of an attacker whose name then resolves to 127.0.0.1 (DNS rebinding) sends the attacker's
 * name. Where every address is listened on, any address will do, because rebinding needs a name. The port is free: it
 * changes on the way through a port-forward.
 */
export function isAllowedHost(header: string | undefined, boundHost: string): boolean {
  const [, bracketed, bare] =
    /^(?:\[([0-9a-f:.]+)\]|([^:@/\\?#[\]\s]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  const host = (bracketed ?? bare)?.toLowerCase();
  if (host === undefined || (bracketed !== undefined && isIP(host) !== 6)) return false;
  if (isLoopback(host) || host === boundHost.toLowerCase()) return true;
  return isWildcard(boundHost) && isIP(host) !== 0;
}

/** An address, or the name that always stands for one. */
export function isLoopback(host: string): boolean {
  return (
    host.toLowerCase() === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  );
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
