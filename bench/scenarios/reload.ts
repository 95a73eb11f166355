import { setTimeout as wait } from 'node:timers/promises';
import { median } from '../load/percentile.ts';
import type { Goal, Row } from '../report/report.ts';
import type { RouteWriter } from '../reload/route-writer.ts';
import { createRouteWriter } from '../reload/route-writer.ts';
import { openProbe } from './probe.ts';
import { startUpstream } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import type { Gateway } from './start-gateway.ts';
import { startGateway } from './start-gateway.ts';

const routes = 10_000;
const documentBytes = 500;
/** The gauge of the longest loop delay looks this far back. */
const delayWindowMs = 16_000;

interface Edit {
  readonly name: string;
  readonly files: number;
  readonly all: boolean;
  readonly limitMs: number;
}

const edits: readonly Edit[] = [
  { name: 'one edited, 1 file', files: 1, all: false, limitMs: 300 },
  { name: 'one edited, 100 files', files: 100, all: false, limitMs: 300 },
  { name: 'all edited, 1 file', files: 1, all: true, limitMs: 4_000 },
  { name: 'all edited, 100 files', files: 100, all: true, limitMs: 4_000 },
];

/** How long after a file is in place its content is served, and what the threads feel of it. */
export const reload: Scenario = {
  name: 'reload',
  describe: `${routes} routes of ${documentBytes} bytes: one or all edited, in 1 or 100 files`,
  async run(bench) {
    const upstream = await startUpstream(bench);
    const rows: Row[] = [];
    const goals: Goal[] = [];
    for (const files of [1, 100]) {
      const writer = createRouteWriter({ routes, documentBytes, files, upstreamPort: upstream.port });
      const gateway = await startGateway(bench, `reload-${files}`, writer.initial());
      for (const edit of edits.filter((each) => each.files === files)) {
        const figures = await measure(bench, gateway, writer, edit);
        rows.push({ name: edit.name, figures });
        goals.push(
          { text: `${edit.name}: ms from swap to served`, figure: figures.swap, limit: edit.limitMs },
          { text: `${edit.name}: longest worker turn, ms`, figure: figures.worker, limit: 10 },
          { text: `${edit.name}: longest main loop delay, ms`, figure: figures.main, limit: 50 },
        );
      }
      await gateway.process.stop();
    }
    return {
      name: 'reload',
      title: `Reload with ${routes} routes of ${documentBytes} bytes`,
      notes: [
        'from the rename that puts the file in place to the first answer by the new version; the quiet period is in it',
        'loop delays as the gateway itself measures them, so a busy machine is in them as well',
      ],
      columns: [
        { key: 'swap', title: 'swap→served ms', digits: 0 },
        { key: 'most', title: 'worst ms', digits: 0 },
        { key: 'worker', title: 'worker delay ms', digits: 1 },
        { key: 'main', title: 'main delay ms', digits: 1 },
        { key: 'probe', title: 'slowest answer ms', digits: 1 },
        { key: 'memory', title: 'RSS MiB', digits: 0 },
      ],
      rows,
      goals,
    };
  },
};

interface Figures extends Readonly<Record<string, number>> {
  readonly swap: number;
  readonly worker: number;
  readonly main: number;
}

async function measure(bench: Bench, gateway: Gateway, writer: RouteWriter, edit: Edit): Promise<Figures> {
  const probe = openProbe(gateway.port, '/service-0/x', 'host-0.example.com');
  const times: number[] = [];
  const workerDelays: number[] = [];
  const mainDelays: number[] = [];
  const answers: number[] = [];
  for (let round = 0; round < bench.options.rounds; round++) {
    bench.say(`${edit.name}: ${round + 1} of ${bench.options.rounds}`);
    await wait(delayWindowMs);
    // Asking for the main thread's figure begins its next period.
    await gateway.metrics();
    probe.longestMs();
    const { version, put } = writer.next(edit.all);
    const begun = performance.now();
    put(gateway);
    times.push((await probe.until(version, 120_000)) - begun);
    answers.push(probe.longestMs());
    await wait(1_500);
    const text = await gateway.metrics();
    workerDelays.push(valueOf(text, 'mgateway_worker_loop_delay_seconds{worker="0"}') * 1_000);
    // prom-client's histogram has its resolution of 10 ms in every value.
    mainDelays.push(Math.max(0, valueOf(text, 'nodejs_eventloop_lag_max_seconds') * 1_000 - 10));
  }
  probe.close();
  return {
    swap: median(times),
    most: Math.max(...times),
    worker: median(workerDelays),
    main: median(mainDelays),
    probe: median(answers),
    memory: gateway.process.residentBytes() / 2 ** 20,
  };
}

function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? NaN : Number(line.slice(series.length));
}
