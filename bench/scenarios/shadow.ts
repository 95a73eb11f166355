import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startProcess } from '../process/start.ts';
import { gatewayCommand, gatewayDocument } from '../subjects/mgateway.ts';
import { routeDocument } from '../subjects/route-document.ts';
import { measureRounds, startUpstream } from './running.ts';
import type { Running } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';

/** What stands in `--shadow`: the same as what is served; the same but for one header, so that every request is decided twice. */
const candidates = ['none', 'same', 'changed'] as const;
type Candidate = (typeof candidates)[number];

interface Measured extends Running {
  readonly adminPort: number;
}

/** What it costs to compare live traffic with a second configuration. */
export const shadow: Scenario = {
  name: 'shadow',
  describe: 'plain proxying with and without --shadow, by what the candidate changes',
  async run(bench) {
    const upstream = await startUpstream(bench);
    const running: Measured[] = [];
    for (const candidate of candidates) running.push(await start(bench, candidate, upstream.port));
    const measured = await measureRounds(bench, running, {
      headers: {},
      targetsOf: () => [{ path: '/bench/users/1' }],
    });
    const base = measured[0];
    const rows = await Promise.all(
      measured.map(async (row, i) => {
        const { compared, dropped } = await countsOf(running[i]?.adminPort ?? 0);
        return {
          name: row.name,
          figures: {
            cpu: row.cpuMicros,
            ratio: row.cpuMicros / (base?.cpuMicros ?? NaN),
            rps: row.requestsPerSecond,
            p50: row.p50Ms,
            p99: row.p99Ms,
            memory: row.residentBytes / 2 ** 20,
            compared: (100 * compared) / (compared + dropped),
          },
        };
      }),
    );
    return {
      name: 'shadow',
      title: 'Live traffic compared with a second configuration',
      notes: [
        'CPU of the whole process: worker, main and shadow thread; what a busy shadow thread cannot take is dropped',
      ],
      columns: [
        { key: 'cpu', title: 'CPU µs/req', digits: 1 },
        { key: 'ratio', title: 'ratio', digits: 2 },
        { key: 'rps', title: 'req/s', digits: 0 },
        { key: 'p50', title: 'p50 ms', digits: 2 },
        { key: 'p99', title: 'p99 ms', digits: 2 },
        { key: 'memory', title: 'RSS MiB', digits: 0 },
        { key: 'compared', title: 'compared %', digits: 0 },
      ],
      rows,
      goals: [],
      chart: 'cpu',
    };
  },
};

async function start(bench: Bench, candidate: Candidate, upstreamPort: number): Promise<Measured> {
  const port = await bench.nextPort();
  const adminPort = await bench.nextPort();
  const dir = bench.newDir(`served-${candidate}`);
  const proposed = bench.newDir(`candidate-${candidate}`);
  const write = (where: string, middlewares?: string): void => {
    const route = { name: 'bench', match: 'path: { prefix: /bench }', upstreamPort };
    writeFileSync(join(where, 'gateway.yaml'), gatewayDocument(port));
    writeFileSync(
      join(where, 'routes.yaml'),
      routeDocument({ ...route, ...(middlewares !== undefined && { middlewares }) }),
    );
  };
  write(dir);
  write(proposed, candidate === 'changed' ? '    - requestHeaders: { set: { x-new: "1" } }' : undefined);
  const { gateway: main, node, workers } = bench.options;
  const command = gatewayCommand({ main, node }, { dir, adminPort, workers });
  const args = candidate === 'none' ? [] : ['--shadow', proposed];
  const process = startProcess(
    candidate,
    { ...command, args: [...command.args, ...args] },
    `${dir}.log`,
    bench.closing,
  );
  await process.listening(port);
  while (candidate !== 'none' && !(await isComparing(adminPort))) await wait(50);
  const name = candidate === 'none' ? 'without --shadow' : `candidate ${candidate}`;
  return { name, port, adminPort, process };
}

async function isComparing(adminPort: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/api/v1/shadow`);
  const report = (await response.json()) as { readonly comparing?: boolean };
  return report.comparing === true;
}

async function countsOf(adminPort: number): Promise<{ readonly compared: number; readonly dropped: number }> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^mgateway_shadow_${name}\\{.*\\} (\\d+)$`, 'gm'))].reduce(
      (total, [, count]) => total + Number(count),
      0,
    );
  return { compared: sum('requests_total'), dropped: sum('dropped_total') };
}
