/**
 * What a reload of 10,000 routes (about 5 MB of YAML) costs: time from the swap of the ConfigMap to traffic, memory, the
 * longest stall of a worker and of the main thread. `node --import=ts-blank-space/register bench/reload-10k.ts
 * [--routes N] [--workers N] [--prof DIR] [--heap]`, after `npm run build`. `--heap` collects garbage in every thread and says
 * what is left; without it RSS is what a gateway has that nobody asks to.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createClosing } from './process/closing.ts';
import type { Closing } from './process/closing.ts';
import { createPorts } from './process/ports.ts';
import { startProcess } from './process/start.ts';
import { heapProbeArguments, probeHeaps } from './reload/heaps.ts';
import type { GenerationSeen, ProbeOptions, ProbeReport } from './reload/prober.ts';
import { createVolume, routeFiles } from './reload/routes.ts';

const { values } = parseArgs({
  options: {
    routes: { type: 'string', default: '10000' },
    workers: { type: 'string', default: '1' },
    files: { type: 'string', default: '1,100' },
    rounds: { type: 'string', default: '3' },
    prof: { type: 'string' },
    heap: { type: 'boolean', default: false },
    main: { type: 'string', default: fileURLToPath(new URL('../dist/main.js', import.meta.url)) },
  },
});

interface Prober {
  stop(): Promise<unknown>;
  report(): Promise<ProbeReport>;
  /** Resolves with the time at which a generation was first seen after this call. */
  nextGeneration(): Promise<number>;
}

function startProber(options: ProbeOptions, closing: Closing): Prober {
  const thread = new Worker(new URL('./reload/prober.ts', import.meta.url), { workerData: options });
  closing.add(() => thread.terminate());
  const reports: ((report: ProbeReport) => void)[] = [];
  let seen: ((at: number) => void)[] = [];
  thread.on('message', (message: ProbeReport | GenerationSeen) => {
    if ('at' in message) {
      for (const resolve of seen) resolve(message.at);
      seen = [];
    } else reports.shift()?.(message);
  });
  thread.on('error', (error) => {
    throw error;
  });
  return {
    stop: () => thread.terminate(),
    report: () =>
      new Promise((resolve) => {
        reports.push(resolve);
        thread.postMessage('report');
      }),
    nextGeneration: () => new Promise((resolve) => seen.push(resolve)),
  };
}

async function measure(files: number, closing: Closing): Promise<void> {
  const ports = createPorts();
  const [port, admin] = [await ports(), await ports()];
  const origin = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  closing.add(() => origin.close());
  const upstream = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const work = mkdtempSync(join(tmpdir(), 'mgateway-reload-'));
  closing.add(() => rmSync(work, { recursive: true, force: true }));
  const volume = createVolume(join(work, 'config'));
  const set = { count: Number(values.routes), files, port, upstream };
  const first = routeFiles(set, () => 'v0');
  volume.prepare(first)();
  const bytes = [...first.values()].reduce((sum, text) => sum + text.length, 0);
  console.log(
    `\n${set.count} routes, ${(bytes / 1e6).toFixed(1)} MB in ${files} file(s), ${values.workers} worker(s), Node ${process.versions.node}`,
  );

  const probeFile = join(work, 'probes');
  writeFileSync(probeFile, '');
  const began = performance.now();
  const prof = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
  const gateway = startProcess(
    'mgateway',
    {
      command: process.execPath,
      args: [
        ...prof,
        ...(values.heap ? heapProbeArguments : []),
        values.main,
        'serve',
        '--config',
        join(work, 'config'),
        '--admin',
        `127.0.0.1:${admin}`,
        '--workers',
        values.workers,
        '--shutdown-delay',
        '0s',
      ],
      env: { HEAP_PROBE: probeFile },
    },
    join(work, 'log'),
    closing,
  );
  await gateway.listening(port, 120_000);
  console.log(
    row('start to traffic', [`${Math.round(performance.now() - began)} ms`, memory(gateway.residentBytes())]),
  );
  await wait(2_000);
  const heaps = async (): Promise<void> => {
    if (!values.heap) return;
    const probes = await probeHeaps(gateway, probeFile);
    const sum = probes.reduce((all, { heapUsed }) => all + heapUsed, 0);
    const cells = probes.map(({ thread, heapUsed }) => `thread ${thread} ${mebibytes(heapUsed)}`);
    console.log(row('heap after gc', [...cells, `all ${mebibytes(sum)}`, memory(gateway.residentBytes())]));
  };
  await heaps();

  const traffic = startProber({ port, path: '/none', everyMs: 1 }, closing);
  const healthz = startProber({ port: admin, path: '/healthz', everyMs: 2 }, closing);
  await traffic.nextGeneration();
  await wait(1_000);
  await traffic.report();
  await healthz.report();
  await wait(3_000);
  const stalls = async (): Promise<string[]> => {
    const [worker, main] = [await traffic.report(), await healthz.report()];
    return [
      `worker ${worker.longestMs.toFixed(1)} ms (${worker.longest
        .slice(1, 5)
        .map((ms) => ms.toFixed(1))
        .join(' ')}; own ${worker.ownDelayMs.toFixed(1)})`,
      `main ${main.longestMs.toFixed(1)} ms (${main.longest
        .slice(1, 5)
        .map((ms) => ms.toFixed(1))
        .join(' ')})`,
    ];
  };
  console.log(row('quiet, 3 s', await stalls()));
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const what of ['one', 'all'] as const) {
      const swap = volume.prepare(
        routeFiles(set, (route) =>
          what === 'all' || route === 4_711 % set.count
            ? `v${round}-${what}`
            : `v${what === 'one' ? round - 1 : round}${round === 1 && what === 'one' ? '' : '-all'}`,
        ),
      );
      await wait(1_500);
      await traffic.report();
      await healthz.report();
      const programmed = traffic.nextGeneration();
      const swapped = performance.timeOrigin + performance.now();
      swap();
      const at = await programmed;
      // What a reload leaves behind is cleared away a little later.
      await wait(1_500);
      console.log(
        row(`${what} edited`, [
          `${Math.round(at - swapped)} ms`,
          ...(await stalls()),
          memory(gateway.residentBytes()),
        ]),
      );
    }
  }
  await heaps();
  const text = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
  console.log(
    text
      .split('\n')
      .filter((line) =>
        /^(mgateway_worker_loop_delay_seconds|nodejs_eventloop_lag_max|nodejs_heap_size_used)/.test(line),
      )
      .join('\n'),
  );
  await Promise.all([traffic.stop(), healthz.stop()]);
  await gateway.stop();
}

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(18)}${cells.join('  ·  ')}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function memory(bytes: number): string {
  return `RSS ${Math.round(bytes / 2 ** 20)} MiB`;
}

for (const files of values.files.split(',').map(Number)) {
  const closing = createClosing();
  try {
    await measure(files, closing);
  } finally {
    await closing.closeAll();
  }
}
