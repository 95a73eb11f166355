import type { EdgeLimits, EdgeSnapshot, Entry, ListenerSnapshot } from '../../snapshot/model.ts';
import { parseDuration, parseSize } from '../../snapshot/units.ts';
import { makeEntry } from './entry.ts';
import type { GatewayResource } from '../../resources/generated.ts';

/** What holds without any Gateway: the defaults of its schema. */
const defaultLimits: EdgeLimits = {
  requestHeadBytes: 16 * 1024,
  requestTargetBytes: 8 * 1024,
  requestHeaderFields: 100,
  requestBodyBytes: 0,
  connections: 0,
  headTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  bodyIdleTimeoutMs: 60_000,
};

/** The listener of a configuration without any Gateway (G11). */
export const defaultListener: Entry = listenerEntry({ name: 'default', address: '0.0.0.0', port: 8080 });

export function listenerEntry(listener: ListenerSnapshot): Entry {
  return makeEntry(`Listener/${listener.name}`, {
    name: listener.name,
    address: listener.address,
    port: listener.port,
  });
}

/** Merges Gateways: proxies of all, middlewares one Gateway after the other, of each limit the strictest that was chosen. */
export function edgeEntry(options: {
  readonly gateways: readonly GatewayResource[];
  readonly middlewares: readonly string[];
  readonly unsecured?: string;
}): Entry {
  const { gateways, middlewares, unsecured } = options;
  const generationHeader = gateways.find(({ spec }) => spec.generationHeader !== undefined)?.spec
    .generationHeader;
  const edge: EdgeSnapshot = {
    trustedProxies: [...new Set(gateways.flatMap(({ spec }) => spec.trustedProxies))],
    middlewares,
    limits: strictest(gateways.map(limitsOf)),
    ...(generationHeader !== undefined && { generationHeader }),
    ...(unsecured !== undefined && { unsecured }),
  };
  return makeEntry('Edge', edge);
}

function limitsOf({ spec: { limits, timeouts } }: GatewayResource): EdgeLimits {
  return {
    requestHeadBytes: parseSize(limits.requestHeaders),
    requestTargetBytes: parseSize(limits.requestTarget),
    requestHeaderFields: limits.headerFields,
    requestBodyBytes: parseSize(limits.requestBody),
    connections: limits.connections,
    headTimeoutMs: parseDuration(timeouts.requestHead),
    keepAliveTimeoutMs: parseDuration(timeouts.keepAlive),
    bodyIdleTimeoutMs: parseDuration(timeouts.idleBody),
  };
}

/** A value that differs from the default was chosen by somebody; 0 stands for no limit. */
function strictest(all: readonly EdgeLimits[]): EdgeLimits {
  const merged: Record<string, number> = {};
  for (const [name, fallback] of Object.entries(defaultLimits) as [keyof EdgeLimits, number][]) {
    const chosen = all.map((limits) => limits[name]).filter((value) => value !== fallback);
    const limited = chosen.filter((value) => value !== 0);
    merged[name] = limited.length > 0 ? Math.min(...limited) : (chosen[0] ?? fallback);
  }
  return merged as unknown as EdgeLimits;
}

/** Do two listeners want the same port of the same address? A wildcard address takes the port of all. */
export function claimsOverlap(a: ListenerSnapshot, b: ListenerSnapshot): boolean {
  return a.port === b.port && (a.address === b.address || isWildcard(a.address) || isWildcard(b.address));
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || /^[0:]+$/.test(address);
}
