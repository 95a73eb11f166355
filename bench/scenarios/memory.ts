import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Row } from '../report/report.ts';
import { routeDocument } from '../subjects/route-document.ts';
import { startUpstream } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import { startGateway } from './start-gateway.ts';

const routes = 10_000;
/** Idle ones that come on top of `warm` others: what the first ones cost is code, not connections. */
const connections = 4_000;
const warm = 500;
const mebibyte = 2 ** 20;

/** What it holds while nobody asks for anything. */
export const memory: Scenario = {
  name: 'memory',
  describe: `resident memory: idle, with ${routes} routes, with ${connections} idle connections`,
  async run(bench) {
    const upstream = await startUpstream(bench);
    const idle = await startGateway(bench, 'idle', { 'routes.yaml': someRoutes(1, upstream.port) });
    const idleBytes = await settled(bench, idle.process);
    const sockets = [...(await openIdle(idle.port, warm))];
    const warmBytes = await settled(bench, idle.process);
    sockets.push(...(await openIdle(idle.port, connections)));
    const connectedBytes = await settled(bench, idle.process);
    for (const socket of sockets) socket.destroy();
    await idle.process.stop();
    const many = await startGateway(bench, 'many', { 'routes.yaml': someRoutes(routes, upstream.port) });
    const manyBytes = await settled(bench, many.process);
    const perConnection = (connectedBytes - warmBytes) / connections;
    const row = (name: string, bytes: number): Row => ({ name, figures: { mebibytes: bytes / mebibyte } });
    // Of the Node that runs the gateway (`--node`).
    const major = Number(
      execFileSync(bench.options.node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }),
    );
    return {
      name: 'memory',
      title: 'Resident memory',
      notes: [
        `each idle connection: ${(perConnection / 1024).toFixed(1)} KiB; a document of ${routes} has 500 bytes; read once it no longer falls`,
      ],
      columns: [{ key: 'mebibytes', title: 'MiB', digits: 1 }],
      rows: [
        row('idle', idleBytes),
        row(`${warm} idle connections`, warmBytes),
        row(`${warm + connections} idle connections`, connectedBytes),
        row(`${routes} routes`, manyBytes),
      ],
      goals: [
        { text: 'MiB idle', figure: idleBytes / mebibyte, limit: major >= 24 ? 135 : 110 },
        { text: `MiB more for ${routes} routes`, figure: (manyBytes - idleBytes) / mebibyte, limit: 120 },
        { text: 'KiB for an idle connection', figure: perConnection / 1024, limit: 8 },
      ],
    };
  },
};

function someRoutes(count: number, upstreamPort: number): string {
  return Array.from({ length: count }, (_, i) =>
    routeDocument({
      name: `route-${i}`,
      hostname: `host-${i % 100}.example.com`,
      match: `path: { prefix: /service-${i} }`,
      upstreamPort,
      bytes: 500,
    }),
  ).join('');
}

/** The least seen over a while: an idle collector takes its time. */
async function settled(bench: Bench, process: { residentBytes(): number }): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 10; i++) {
    await wait(Math.min(1_000, bench.options.seconds * 250));
    least = Math.min(least, process.residentBytes());
  }
  return least;
}

/** Connections that asked once and then keep still, as those of a browser. */
async function openIdle(port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(100, count - sockets.length) }, () =>
      connect({ port, host: '127.0.0.1' }),
    );
    await Promise.all(
      batch.map(async (socket) => {
        await once(socket, 'connect');
        socket.write('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n');
        await once(socket, 'data');
      }),
    );
    sockets.push(...batch);
  }
  return sockets;
}
