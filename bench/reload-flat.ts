/**
 * Whether anything piles up over thousands of reloads: heap after collection, active handles and timers of each thread.
 * `node --import=ts-blank-space/register bench/reload-flat.ts [--reloads N] [--minutes N] [--workers N]`, after
 * `npm run build`. Every reload really changes something: the `..data` link of a ConfigMap directory goes round through
 * versions that differ in routes, upstreams, limits, Gateway settings and listeners, while traffic and a WebSocket go on.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { createClosing } from './process/closing.ts';
import type { Closing } from './process/closing.ts';
import { createPorts } from './process/ports.ts';
import { startProcess } from './process/start.ts';
import type { Started } from './process/start.ts';
import { heapProbeArguments, probeHeaps } from './reload/heaps.ts';
import type { HeapProbe } from './reload/heaps.ts';

const { values } = parseArgs({
  options: {
    reloads: { type: 'string', default: '10000' },
    minutes: { type: 'string', default: '10' },
    workers: { type: 'string', default: '1' },
    every: { type: 'string', default: '1000' },
    main: { type: 'string', default: fileURLToPath(new URL('../dist/main.js', import.meta.url)) },
  },
});

/** An odd number: no version comes again next to the same neighbour in the same role too soon. */
const versions = 7;
const routes = 50;

function documents(version: number, ports: readonly number[], upstream: string): string {
  const head = (kind: string, name: string): string =>
    `apiVersion: mgateway.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\n`;
  const listeners = ports
    .slice(0, 1 + (version % 2))
    .map((port, i) => `{ name: l${i}, port: ${port}, address: 127.0.0.1 }`);
  const list = [
    `${head('Gateway', 'default')}spec: { listeners: [${listeners.join(', ')}], generationHeader: x-generation, limits: { requestBody: ${1 + (version % 3)}MiB } }`,
    `${head('Middleware', 'fair')}spec: { rateLimit: { requests: ${1_000_000 + version}, per: 1s } }`,
    `${head('Upstream', 'steady')}spec: { endpoints: [{ url: "${upstream}" }] }`,
    `${head('Upstream', 'changing')}spec: { endpoints: [{ url: "${upstream}", weight: ${1 + version} }, { url: "http://127.0.0.1:${1 + version}", weight: 0 }], healthCheck: { path: /, interval: ${5 + version}s } }`,
    `${head('Route', 'steady')}spec: { matches: [{ path: { prefix: / } }], upstreams: [{ name: steady }] }`,
    `${head('Route', `only-in-${version}`)}spec: { matches: [{ path: { prefix: /only-${version} } }], upstreams: [{ name: changing }], drain: 1s }`,
  ];
  for (let i = 0; i < routes; i++) {
    const stamp = i % versions === version ? `v${version}` : 'old';
    // A slab of buckets is scaled at every change: a few are enough.
    const limit = i < 2 ? `, { rateLimit: { requests: ${100 + version}, per: 1s } }` : '';
    list.push(
      `${head('Route', `route-${i}`)}spec: { hostnames: [h${i % 5}.test], matches: [{ path: { template: "/r${i}/{id}" } }, { path: { regex: "/x${i}/[a-z]+" } }], middlewares: [{ name: fair }, { requestHeaders: { set: { x-stamp: ${stamp} } } }${limit}], upstreams: [{ name: changing }, { name: steady }] }`,
    );
  }
  return list.join('\n---\n');
}

async function run(closing: Closing): Promise<void> {
  const nextPort = createPorts();
  const [port, second, admin] = [await nextPort(), await nextPort(), await nextPort()];
  const upstream = await startOrigin(closing);
  const work = mkdtempSync(join(tmpdir(), 'mgateway-flat-'));
  closing.add(() => rmSync(work, { recursive: true, force: true }));
  const config = join(work, 'config');
  for (let version = 0; version < versions; version++) {
    mkdirSync(join(config, `..v${version}`), { recursive: true });
    writeFileSync(join(config, `..v${version}`, 'all.yaml'), documents(version, [port, second], upstream));
  }
  symlinkSync(join('..data', 'all.yaml'), join(config, 'all.yaml'));
  const swap = (version: number): void => {
    symlinkSync(`..v${version}`, join(config, '..data_tmp'));
    renameSync(join(config, '..data_tmp'), join(config, '..data'));
  };
  swap(0);

  const probeFile = join(work, 'probes');
  writeFileSync(probeFile, '');
  const args = [...heapProbeArguments, values.main, 'serve'];
  args.push('--config', config, '--admin', `127.0.0.1:${admin}`, '--workers', values.workers);
  const command = {
    command: process.execPath,
    args: [...args, '--shutdown-delay', '0s', '--log-level', 'error'],
    env: { HEAP_PROBE: probeFile },
  };
  const gateway = startProcess('mgateway', command, join(work, 'log'), closing);
  await gateway.listening(port);

  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  closing.add(() => agent.destroy());
  const ask = async (path: string, at = port): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ port: at, host: '127.0.0.1', path, agent }), 'response')) as [
      IncomingMessage,
    ];
    answer.resume();
    await once(answer, 'end');
    return answer;
  };
  const generation = async (): Promise<string> => String((await ask('/')).headers['x-generation']);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/tunnel`);
  await once(socket, 'open');
  closing.add(() => socket.terminate());

  const deadline = performance.now() + Number(values.minutes) * 60_000;
  const wanted = Number(values.reloads);
  const probes = new Map<number, readonly HeapProbe[]>();
  let served = await generation();
  let done = 0;
  const began = performance.now();
  for (; done < wanted && performance.now() < deadline; done++) {
    if (done > 0 && done % Number(values.every) === 0) {
      probes.set(done, await probeHeaps(gateway, probeFile));
      report(done, probes, gateway, began);
    }
    const version = (done + 1) % versions;
    swap(version);
    process.kill(gateway.pid, 'SIGHUP');
    const before = served;
    for (const late = performance.now() + 10_000; served === before; served = await generation()) {
      if (performance.now() > late) throw new Error(`reload ${done + 1} is not taken: ${gateway.output()}`);
    }
    await ask(`/only-${version}`);
    if (done % 100 === 0) await ask('/metrics', admin);
  }
  probes.set(done, await probeHeaps(gateway, probeFile));
  report(done, probes, gateway, began);
  const echoed = once(socket, 'message');
  socket.send('still here');
  await echoed;
  console.log(
    `the WebSocket of before the first reload still answers; errors in the log: ${gateway.output().length} bytes`,
  );
  await gateway.stop();
}

async function startOrigin(closing: Closing): Promise<string> {
  const origin = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server: origin });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await once(origin, 'listening');
  closing.add(() => {
    origin.close();
    origin.closeAllConnections();
  });
  return `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
}

function report(
  reloads: number,
  probes: ReadonlyMap<number, readonly HeapProbe[]>,
  gateway: Started,
  began: number,
): void {
  const now = probes.get(reloads) ?? [];
  const first = probes.values().next().value ?? [];
  const perReload = (performance.now() - began) / reloads;
  console.log(
    `\n${reloads} reloads, ${perReload.toFixed(1)} ms each, RSS ${(gateway.residentBytes() / 2 ** 20).toFixed(0)} MiB`,
  );
  for (const { thread, heapUsed, arrayBuffers, resources } of now) {
    const before = first.find((each) => each.thread === thread)?.heapUsed ?? heapUsed;
    const change = ((heapUsed / before - 1) * 100).toFixed(1);
    const cells = Object.entries(resources).map(([name, count]) => `${name} ${count}`);
    console.log(
      `  thread ${thread}: heap ${(heapUsed / 2 ** 20).toFixed(2)} MiB (${change} %), buffers ${(arrayBuffers / 2 ** 20).toFixed(2)} MiB · ${cells.sort().join(', ')}`,
    );
  }
}

const closing = createClosing();
try {
  await run(closing);
} finally {
  await closing.closeAll();
}
