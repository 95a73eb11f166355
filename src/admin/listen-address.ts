import { isIP } from 'node:net';

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (every address). Throws an Error that says what is wrong. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new Error(`${text}: not an address; write HOST:PORT or [IPV6]:PORT`);
  if (match[1] !== undefined && isIP(match[1]) !== 6)
    throw new Error(`${text}: not an IPv6 address in the brackets`);
  return { host: match[1] ?? (match[2] === '' ? '::' : (match[2] as string)), port };
}

/** As it is written in a URL. */
export function addressText({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
