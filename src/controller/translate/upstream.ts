import type { Entry, EndpointSnapshot, UpstreamSnapshot } from '../../snapshot/model.ts';
import { parseDuration } from '../../snapshot/units.ts';
import { makeEntry } from './entry.ts';
import type { UpstreamResource } from '../../resources/generated.ts';

/** An Upstream resource as it is served. */
export function translateUpstream(namespace: string, name: string, { spec }: UpstreamResource): Entry {
  const check = spec.healthCheck;
  const snapshot: UpstreamSnapshot = {
    name: `${namespace}/${name}`,
    endpoints: spec.endpoints.map(({ url, weight }) => endpointOf(url, weight)),
    strategy: spec.loadBalancer.strategy,
    ...(check !== undefined && {
      healthCheck: {
        path: check.path,
        intervalMs: parseDuration(check.interval),
        timeoutMs: parseDuration(check.timeout),
        healthy: check.healthy,
        unhealthy: check.unhealthy,
        ...(check.host !== undefined && { host: check.host }),
      },
    }),
    connectTimeoutMs: parseDuration(spec.timeouts.connect),
    keepAliveTimeoutMs: parseDuration(spec.timeouts.keepAlive),
    maxConnections: spec.maxConnections,
    ...(spec.maxWebSockets !== undefined && { maxWebSockets: spec.maxWebSockets }),
  };
  return makeEntry(`Upstream/${namespace}/${name}`, snapshot);
}

/** An upstream given by its URL in a route: one for each origin, shared by all who name it; defaults of the schema. */
export function translateInlineUpstream(url: string): Entry {
  const endpoint = endpointOf(url, 1);
  const snapshot: UpstreamSnapshot = {
    name: endpoint.url,
    endpoints: [endpoint],
    strategy: 'RoundRobin',
    connectTimeoutMs: 5000,
    keepAliveTimeoutMs: 4000,
    maxConnections: 256,
  };
  return makeEntry(`Upstream/${endpoint.url}`, snapshot);
}

function endpointOf(text: string, weight: number): EndpointSnapshot {
  const url = new URL(text);
  const tls = url.protocol === 'https:';
  return {
    url: url.origin,
    tls,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (tls ? 443 : 80) : Number(url.port),
    weight,
  };
}
