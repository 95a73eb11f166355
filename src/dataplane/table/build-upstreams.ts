import type { Buffer } from 'node:buffer';
import type { EndpointCells } from '../../snapshot/messages.ts';
import type { EndpointSnapshot, UpstreamSnapshot } from '../../snapshot/model.ts';
import type { WorkerMetrics } from '../../telemetry/series.ts';
import type { TimerWheel } from '../http1/timer-wheel.ts';
import { createConnect } from '../upstream/connect.ts';
import type { TlsClient } from '../upstream/connect.ts';
import { ConnectionPool } from '../upstream/connection-pool.ts';
import type { PoolOptions } from '../upstream/connection-pool.ts';
import { Endpoint } from '../upstream/endpoint.ts';
import { Upstream } from '../upstream/upstream.ts';
import type { Ledger } from './candidate.ts';
import type { Slices } from './slices.ts';
import type { Staged } from './staged.ts';

export interface UpstreamContext {
  readonly metrics: WorkerMetrics;
  readonly wheel: TimerWheel;
  readonly tlsClient: TlsClient;
  /** Shared by all connections of the worker. */
  readonly readBuffer: Buffer;
  readonly workerIndex: number;
  readonly workers: number;
  readonly random: () => number;
}

/** Exchanges that may wait for a connection, for each connection there may be. */
const queuePerConnection = 4;

/**
 * The upstreams of the candidate: unchanged ones are the same objects; a changed one keeps the endpoints whose URL it
 * still has, with their connections (G6).
 */
export async function buildUpstreams(
  current: ReadonlyMap<string, Upstream>,
  staged: Staged,
  ledger: Ledger,
  slices: Slices,
  context: UpstreamContext,
): Promise<{ readonly upstreams: ReadonlyMap<string, Upstream>; readonly changed: ReadonlySet<string> }> {
  const upstreams = new Map(current);
  const changed = new Set<string>();
  for (const entry of staged.entries('Upstream')) {
    if (slices.spent) await slices.turn();
    const old = current.get(entry.key);
    const attachment = staged.attachments.get(entry.key);
    if (attachment?.kind !== 'Upstream') {
      ledger.fail(entry.key, 'Invalid', 'no shared cells came with this upstream');
      continue;
    }
    const snapshot = JSON.parse(entry.json) as UpstreamSnapshot;
    const pool = poolOptions(snapshot);
    const endpoints = snapshot.endpoints.map((endpoint, i) => {
      const kept = old?.endpoints.find(({ snapshot: { url } }) => url === endpoint.url);
      if (kept === undefined)
        return openEndpoint(endpoint, attachment.cells[i] as EndpointCells, snapshot, ledger, context);
      ledger.onCommit.push(() => kept.pool.configure(pool));
      return kept;
    });
    const series = context.metrics.upstream(snapshot.name);
    ledger.made({ run: () => series.release() });
    upstreams.set(
      entry.key,
      new Upstream({
        key: entry.key,
        hash: entry.hash,
        snapshot,
        endpoints,
        series,
        since: ledger.generation,
        random: context.random,
      }),
    );
    changed.add(entry.key);
    if (old !== undefined) releaseUpstream(old, endpoints, ledger);
  }
  for (const key of staged.removed) {
    const old = current.get(key);
    if (old === undefined) continue;
    upstreams.delete(key);
    changed.add(key);
    releaseUpstream(old, [], ledger);
  }
  return { upstreams, changed };
}

function openEndpoint(
  endpoint: EndpointSnapshot,
  cells: EndpointCells,
  upstream: UpstreamSnapshot,
  ledger: Ledger,
  context: UpstreamContext,
): Endpoint {
  const { metrics, wheel, tlsClient, workerIndex, workers } = context;
  const pool = new ConnectionPool(
    createConnect(endpoint, tlsClient, context.readBuffer),
    wheel,
    poolOptions(upstream),
  );
  const series = metrics.endpoint(upstream.name, endpoint.url);
  ledger.made({
    run: () => {
      pool.close();
      series.release();
    },
  });
  return new Endpoint({
    snapshot: endpoint,
    cells,
    workerIndex,
    workers,
    pool,
    series,
    since: ledger.generation,
  });
}

function releaseUpstream(old: Upstream, kept: readonly Endpoint[], ledger: Ledger): void {
  ledger.onRelease.push({ since: old.since, run: () => old.series.release() });
  for (const { since, pool, series } of old.endpoints.filter((endpoint) => !kept.includes(endpoint))) {
    ledger.onRelease.push({
      since,
      run: () => {
        pool.close();
        series.release();
      },
    });
  }
}

function poolOptions(snapshot: UpstreamSnapshot): PoolOptions {
  return {
    maxConnections: snapshot.maxConnections,
    maxQueue: snapshot.maxConnections * queuePerConnection,
    keepAliveMs: snapshot.keepAliveTimeoutMs,
  };
}
