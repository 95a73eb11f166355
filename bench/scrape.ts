/**
 * How long a scrape takes with 10,000 routes, and how long it blocks the main thread at most: once rendered from the slabs,
 * once by prom-client from the same numbers. `node --import=ts-blank-space/register bench/scrape.ts [routes] [workers]`
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { catalog, metricPrefix } from '../src/telemetry/catalog.ts';
import { durationBuckets } from '../src/telemetry/duration-buckets.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { createWorkerMetrics } from '../src/telemetry/worker-metrics.ts';

const routes = Number(process.argv[2] ?? 10_000);
const workers = Number(process.argv[3] ?? 2);
const rounds = 15;

const main = createMetrics({ version: 'bench' });
let longestBatch = 0;
for (let index = 0; index < workers; index++) {
  const slabs = main.openWorker();
  const metrics = createWorkerMetrics({
    workerIndex: index,
    maxSeries: routes * 3,
    defer: () => {},
    post(message) {
      const started = performance.now();
      slabs.take(message);
      longestBatch = Math.max(longestBatch, performance.now() - started);
    },
  });
  for (let i = 0; i < routes; i++) {
    const route = metrics.route(`team-${i % 50}/service-${i}`);
    for (const code of [200, 404, 503]) {
      route.begin();
      route.end('GET', code, (i % 997) / 499);
    }
  }
  metrics.flush();
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Longest time between two turns of the event loop. */
function watchTurns(): { stop(): number } {
  let last = performance.now();
  let longest = 0;
  let watching = true;
  const look = (): void => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (watching) setImmediate(look);
  };
  setImmediate(look);
  return {
    stop() {
      watching = false;
      return longest;
    },
  };
}

async function measure(name: string, render: () => Promise<number>): Promise<void> {
  for (let i = 0; i < 3; i++) await render();
  const times: number[] = [];
  const cpu: number[] = [];
  const blocks: number[] = [];
  let bytes = 0;
  for (let i = 0; i < rounds; i++) {
    const watch = watchTurns();
    await nextTurn();
    const before = process.cpuUsage();
    const started = performance.now();
    bytes = await render();
    times.push(performance.now() - started);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1e3);
    await nextTurn();
    blocks.push(watch.stop());
  }
  process.stdout.write(
    `${name}: ${(bytes / 1e6).toFixed(1)} MB, median ${median(times).toFixed(0)} ms (CPU ${median(cpu).toFixed(0)} ms), ` +
      `longest block median ${median(blocks).toFixed(1)} ms, worst ${Math.max(...blocks).toFixed(1)} ms\n`,
  );
}

await measure(`slabs, ${routes} routes, ${workers} workers`, async () =>
  (await main.render()).reduce((sum, chunk) => sum + chunk.length, 0),
);

// The same lines by prom-client: values handed to its registry as its own histogram hands them.
const registry = new Registry();
const labelSets = Array.from({ length: routes }, (_, i) => ({ route: `team-${i % 50}/service-${i}` }));
const register = (name: keyof typeof catalog, values: () => unknown[]): void => {
  const { help, type } = catalog[name];
  const full = metricPrefix + name;
  registry.registerMetric({
    name: full,
    get: async () => ({ name: full, help, type, values: values() }),
  } as never);
};
register('requests_total', () =>
  labelSets.flatMap((labels) =>
    ['200', '404', '503'].map((code) => ({ labels: { ...labels, method: 'GET', code }, value: 2 })),
  ),
);
register('requests_in_flight', () => labelSets.map((labels) => ({ labels, value: 0 })));
register('request_duration_seconds', () => {
  const metric = `${metricPrefix}request_duration_seconds`;
  return labelSets.flatMap((sharedLabels) => [
    ...[...durationBuckets, '+Inf'].map((le) => ({
      labels: { le },
      sharedLabels,
      value: 3,
      metricName: `${metric}_bucket`,
    })),
    { labels: {}, sharedLabels, value: 1.5, metricName: `${metric}_sum` },
    { labels: {}, sharedLabels, value: 3, metricName: `${metric}_count` },
  ]);
});
await measure('prom-client, the same lines', async () => Buffer.byteLength(await registry.metrics()));
process.stdout.write(`longest message of new series taken by main: ${longestBatch.toFixed(1)} ms\n`);
