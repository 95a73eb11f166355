import { fileURLToPath } from 'node:url';
import { generate } from '../load/generate.ts';
import type { LoadResult } from '../load/order.ts';
import { median } from '../load/percentile.ts';
import { startProcess } from '../process/start.ts';
import type { RouteWriter } from '../reload/route-writer.ts';
import { createRouteWriter } from '../reload/route-writer.ts';
import { openProbe } from './probe.ts';
import { startUpstream } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import type { Gateway } from './start-gateway.ts';
import { startGateway } from './start-gateway.ts';

const rate = 2_000;
const routes = 10_000;
const target = { path: '/service-0/x', host: 'host-0.example.com' };
const hogProgram = fileURLToPath(new URL('../load/hog.ts', import.meta.url));

interface Seen {
  readonly p50: number;
  readonly p99: number;
  /** Of the gateway, in cores. */
  readonly cores: number;
  readonly failures: number;
}

/** A reload takes CPU; it should take nothing else: traffic must not feel it more than a neighbour that computes as much. */
export const tailReload: Scenario = {
  name: 'tail-reload',
  describe: `${rate} requests a second while ${routes} routes are reloaded without a pause, beside as busy a neighbour`,
  async run(bench) {
    const upstream = await startUpstream(bench);
    const writer = createRouteWriter({ routes, documentBytes: 500, files: 1, upstreamPort: upstream.port });
    const gateway = await startGateway(bench, 'reloaded', writer.initial());
    const dir = bench.newDir('load');
    const load = async (): Promise<Seen> => {
      const before = gateway.process.cpuSeconds();
      const { seconds } = bench.options;
      const order = {
        port: gateway.port,
        connections: 64,
        targets: [target],
        headers: {},
        dir,
        seconds,
        rate,
      };
      const result: LoadResult = await generate(order, bench.closing);
      return {
        p50: result.p50Ms,
        p99: result.p99Ms,
        cores: (gateway.process.cpuSeconds() - before) / seconds,
        failures: result.failures,
      };
    };
    await load();
    const seen = { quiet: [] as Seen[], reloading: [] as Seen[], neighbour: [] as Seen[] };
    for (let round = 1; round <= bench.options.rounds; round++) {
      bench.say(`round ${round} of ${bench.options.rounds}`);
      seen.quiet.push(await load());
      const stop = keepReloading(gateway, writer);
      seen.reloading.push(await load());
      await stop();
      const extra =
        median(seen.reloading.map(({ cores }) => cores)) - median(seen.quiet.map(({ cores }) => cores));
      const hogs = startHogs(bench, extra, round);
      seen.neighbour.push(await load());
      await Promise.all(hogs.map((hog) => hog.stop()));
    }
    const rows = Object.entries(seen).map(([name, all]) => ({
      name,
      figures: {
        p50: median(all.map(({ p50 }) => p50)),
        p99: median(all.map(({ p99 }) => p99)),
        cores: median(all.map(({ cores }) => cores)),
        failures: all.reduce((sum, { failures }) => sum + failures, 0),
      },
    }));
    const p99Of = (wanted: string): number => rows.find(({ name }) => name === wanted)?.figures.p99 ?? NaN;
    return {
      name: 'tail-reload',
      title: `Latency at ${rate} requests a second during reloads of ${routes} routes`,
      notes: [
        'reloading: all routes change, again as soon as they are served; neighbour: quiet, beside a program that takes as much CPU as the reloads did',
      ],
      columns: [
        { key: 'p50', title: 'p50 ms', digits: 3 },
        { key: 'p99', title: 'p99 ms', digits: 3 },
        { key: 'cores', title: 'cores', digits: 2 },
        { key: 'failures', title: 'failed', digits: 0 },
      ],
      rows,
      goals: [
        {
          text: 'p99 while reloading against p99 beside a neighbour',
          figure: p99Of('reloading') / p99Of('neighbour'),
          limit: 1,
        },
      ],
    };
  },
};

/** Changes all routes, again and again; the returned function ends that once what was written is served. */
function keepReloading(gateway: Gateway, writer: RouteWriter): () => Promise<void> {
  const probe = openProbe(gateway.port, target.path, target.host);
  let stopped = false;
  const reload = async (): Promise<void> => {
    while (!stopped) {
      const { version, put } = writer.next(true);
      put(gateway);
      await probe.until(version, 120_000);
    }
    probe.close();
  };
  const running = reload();
  return async () => {
    stopped = true;
    await running;
  };
}

function startHogs(bench: Bench, cores: number, round: number): readonly ReturnType<typeof startProcess>[] {
  const whole = Math.max(1, Math.ceil(cores));
  return Array.from({ length: whole }, (_, i) =>
    startProcess(
      `hog ${i}`,
      {
        command: process.execPath,
        args: ['--import=ts-blank-space/register', hogProgram, String(Math.max(0, cores) / whole)],
      },
      `${bench.newDir(`hog-${round}-${i}`)}/log`,
      bench.closing,
    ),
  );
}
