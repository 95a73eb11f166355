import { fileURLToPath } from 'node:url';
import { generateTunnels } from '../load/generate.ts';
import { startProcess } from '../process/start.ts';
import { measureRounds } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import { startSubjects } from './start-subjects.ts';

const tunnels = 1_000;
const wanted = ['nginx', 'haproxy', 'mgateway', 'envoy'];

/** What a small message through a tunnel costs. */
export const websocket: Scenario = {
  name: 'websocket',
  describe: `${tunnels} WebSocket tunnels, small messages back and forth`,
  async run(bench) {
    const upstreamPort = await startEcho(bench);
    const names = bench.options.only.length > 0 ? bench.options.only : wanted;
    // The first upgrade of the load is the check.
    const running = await startSubjects(bench, 'plain', upstreamPort, names, async () => undefined);
    const measured = await measureRounds(
      bench,
      running,
      { headers: {}, targetsOf: () => [{ path: '/ws' }] },
      (order) => generateTunnels({ ...order, connections: tunnels }, bench.closing),
    );
    const base = measured[0];
    const rows = measured.map((row) => ({
      name: row.name,
      figures: {
        cpu: row.cpuMicros,
        // Messages per CPU second against the first: more is better.
        ratio: (base?.cpuMicros ?? NaN) / row.cpuMicros,
        rps: row.requestsPerSecond,
        p99: row.p99Ms,
        memory: row.residentBytes / 2 ** 20,
        failures: row.failures,
      },
    }));
    const ours = rows.find(({ name }) => name === 'mgateway');
    return {
      name: 'websocket',
      title: `${tunnels} WebSocket tunnels`,
      notes: ['each tunnel sends 32 bytes and waits for them; opening the tunnels is in the CPU figure'],
      columns: [
        { key: 'cpu', title: 'CPU µs/msg', digits: 1 },
        { key: 'ratio', title: 'msg/CPU ratio', digits: 2 },
        { key: 'rps', title: 'msg/s', digits: 0 },
        { key: 'p99', title: 'p99 ms', digits: 1 },
        { key: 'memory', title: 'RSS MiB', digits: 0 },
        { key: 'failures', title: 'failed', digits: 0 },
      ],
      rows,
      goals:
        ours === undefined || base?.name !== 'nginx'
          ? []
          : [
              {
                text: 'messages per CPU second against nginx',
                figure: ours.figures.ratio,
                limit: 0.5,
                atLeast: true,
              },
            ],
      chart: 'cpu',
    };
  },
};

async function startEcho(bench: Bench): Promise<number> {
  const port = await bench.nextPort();
  const program = fileURLToPath(new URL('../peers/websocket-echo.mjs', import.meta.url));
  const command = { command: process.execPath, args: [program], env: { PORT: String(port) } };
  const echo = startProcess('echo', command, `${bench.newDir('echo')}/log`, bench.closing);
  await echo.listening(port);
  return port;
}
