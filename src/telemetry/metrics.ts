import { Buffer } from 'node:buffer';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConfigStatus } from '../snapshot/messages.ts';
import type { ShadowCounts } from '../snapshot/shadow-messages.ts';
import type { MetricDefinition, MetricName } from './catalog.ts';
import { catalog, metricPrefix } from './catalog.ts';
import { renderSlabs } from './exposition.ts';
import type { SeriesOwner, WorkerSlabs } from './metric-slabs.ts';
import { MetricSlabs } from './metric-slabs.ts';
import { createShadowMetrics } from './shadow-metrics.ts';

export interface MetricsOptions {
  readonly version: string;
  /** process_* and nodejs_* of the main thread; default true. */
  readonly processMetrics?: boolean;
  /** Monotonic milliseconds; default: performance.now. */
  readonly now?: () => number;
}

/** What the main thread counts, and the sum of what workers count. */
export interface MainMetrics {
  /** Slabs of a worker that was just started. */
  openWorker(): WorkerSlabs;
  /** Routes and upstreams that the configuration no longer has. */
  forget(owners: readonly SeriesOwner[]): void;
  configStatus(status: ConfigStatus): void;
  /** Whether something is wrong with the state directory. */
  stateTrouble(failing: boolean): void;
  /** Undefined: it is no longer checked. */
  endpointHealthy(upstream: string, endpoint: string, healthy: boolean | undefined): void;
  /** Keys now and evictions since the limiter was made; undefined: the limiter is gone. */
  limiterStats(
    limiter: string,
    stats: { readonly keys: number; readonly evictions: number } | undefined,
  ): void;
  /** What the shadow thread has compared since it last said so. */
  shadowCounted(counts: ShadowCounts): void;
  workerRestarted(): void;
  logDropped(log: 'runtime' | 'access', lines: number): void;
  /** Called before each rendering, for numbers that are read and not told (limiters). */
  beforeScrape(refresh: () => void): void;
  readonly contentType: string;
  /** The text, in chunks; who asks while one is being made gets that one. */
  render(): Promise<readonly Buffer[]>;
}

const reloadBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const reloadResults = ['applied', 'unchanged', 'partial', 'refused'] as const;

export function createMetrics(options: MetricsOptions): MainMetrics {
  const registry = new Registry();
  const now = options.now ?? (() => performance.now());
  const describe = (
    name: MetricName,
  ): { name: string; help: string; labelNames: string[]; registers: Registry[] } => {
    const { help, labels }: MetricDefinition = catalog[name];
    return { name: metricPrefix + name, help, labelNames: [...labels], registers: [registry] };
  };
  const counter = (name: MetricName): Counter => new Counter(describe(name));
  const gauge = (name: MetricName): Gauge => new Gauge(describe(name));
  if (options.processMetrics !== false) collectDefaultMetrics({ register: registry });

  const slabs = new MetricSlabs();
  const endpointHealthy = gauge('upstream_endpoint_healthy');
  const limiterKeys = gauge('rate_limit_keys');
  const evictions = counter('rate_limit_evictions_total');
  const reloads = counter('config_reloads_total');
  const reloadDuration = new Histogram({
    ...describe('config_reload_duration_seconds'),
    buckets: reloadBuckets,
  });
  const lastSuccessful = gauge('config_last_reload_successful');
  const lastSuccess = gauge('config_last_reload_success_timestamp_seconds');
  const generation = gauge('config_generation');
  const pinned = gauge('config_pinned');
  const stateFailing = gauge('config_state_failing');
  const info = gauge('config_info');
  const resources = gauge('config_resources');
  const shadow = createShadowMetrics(counter);
  const restarts = counter('worker_restarts_total');
  const dropped = counter('log_dropped_total');
  gauge('build_info').set({ version: options.version, node: process.versions.node }, 1);
  // Series that alerts look at exist from the start: a rate over one that appears with its first event misses it.
  for (const result of reloadResults) reloads.inc({ result }, 0);
  for (const log of ['runtime', 'access']) dropped.inc({ log }, 0);

  const evictionsSeen = new Map<string, number>();
  const refreshes: (() => void)[] = [];
  let rendering: Promise<readonly Buffer[]> | undefined;

  const renderAll = async (): Promise<readonly Buffer[]> => {
    for (const refresh of refreshes) refresh();
    const own = Buffer.from(`${await registry.metrics()}\n`);
    return [own, ...(await renderSlabs({ slabs, now, pause: () => nextTurn() }))];
  };

  return {
    openWorker: () => slabs.openWorker(),
    forget: (owners) => slabs.forget(owners),
    configStatus(status) {
      reloads.inc({ result: status.result });
      reloadDuration.observe(status.durationSeconds);
      const good = isWhollyGood(status);
      lastSuccessful.set(good ? 1 : 0);
      if (good) lastSuccess.set(status.time);
      generation.set(status.generation);
      pinned.set(status.pin === undefined ? 0 : 1);
      info.reset();
      info.set({ source_hash: status.sourceHash, served_hash: status.servedHash }, 1);
      resources.reset();
      for (const { kind, state, count } of status.resources) resources.set({ kind, state }, count);
    },
    stateTrouble: (failing) => stateFailing.set(failing ? 1 : 0),
    endpointHealthy(upstream, endpoint, healthy) {
      if (healthy === undefined) endpointHealthy.remove({ upstream, endpoint });
      else endpointHealthy.set({ upstream, endpoint }, healthy ? 1 : 0);
    },
    limiterStats(limiter, stats) {
      if (stats === undefined) {
        limiterKeys.remove({ limiter });
        evictionsSeen.delete(limiter);
        return;
      }
      limiterKeys.set({ limiter }, stats.keys);
      const more = stats.evictions - (evictionsSeen.get(limiter) ?? 0);
      // Fewer than before: the limiter was made anew and counts from zero.
      evictions.inc(more >= 0 ? more : stats.evictions);
      evictionsSeen.set(limiter, stats.evictions);
    },
    shadowCounted: shadow,
    workerRestarted: () => restarts.inc(),
    logDropped: (log, lines) => dropped.inc({ log }, lines),
    beforeScrape: (refresh) => void refreshes.push(refresh),
    contentType: registry.contentType,
    render() {
      rendering ??= renderAll().finally(() => {
        rendering = undefined;
      });
      return rendering;
    },
  };
}

/**
 * Whether all that was read is accepted and served. `unchanged` alone does not say it: a file may be as broken as before.
 */
function isWhollyGood({ result, resources }: ConfigStatus): boolean {
  if (result === 'refused' || result === 'partial') return false;
  return resources.every(({ state, count }) => state === 'accepted' || count === 0);
}
