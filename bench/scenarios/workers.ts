import { routeDocument } from '../subjects/route-document.ts';
import type { Running } from './running.ts';
import { measureRounds, startUpstream } from './running.ts';
import type { Scenario } from './scenario.ts';
import { startGateway } from './start-gateway.ts';

/** What a second worker costs: the same request should not get dearer. */
export const workers: Scenario = {
  name: 'workers',
  describe: 'CPU per request with two workers against one (Node 22.12 or newer, see --node)',
  async run(bench) {
    const upstream = await startUpstream(bench);
    const text = routeDocument({
      name: 'bench',
      match: 'path: { prefix: /bench }',
      upstreamPort: upstream.port,
    });
    const running: Running[] = [];
    for (const count of [1, 2]) {
      const name = `${count} worker${count === 1 ? '' : 's'}`;
      running.push(await startGateway(bench, name, { 'routes.yaml': text }, { workers: count }));
    }
    const measured = await measureRounds(bench, running, {
      headers: {},
      targetsOf: () => [{ path: '/bench/users/1' }],
    });
    const base = measured[0];
    const rows = measured.map((row) => ({
      name: row.name,
      figures: {
        cpu: row.cpuMicros,
        ratio: row.cpuMicros / (base?.cpuMicros ?? NaN),
        rps: row.requestsPerSecond,
        p99: row.p99Ms,
        memory: row.residentBytes / 2 ** 20,
        failures: row.failures,
      },
    }));
    return {
      name: 'workers',
      title: 'Cost of a request by number of workers',
      notes: [
        'the generator and the upstream need cores of their own: with two in all this measures the machine',
      ],
      columns: [
        { key: 'cpu', title: 'CPU µs/req', digits: 1 },
        { key: 'ratio', title: 'ratio', digits: 2 },
        { key: 'rps', title: 'req/s', digits: 0 },
        { key: 'p99', title: 'p99 ms', digits: 2 },
        { key: 'memory', title: 'RSS MiB', digits: 0 },
        { key: 'failures', title: 'failed', digits: 0 },
      ],
      rows,
      goals: rows.slice(1).map(({ figures }) => ({
        text: 'CPU per request with two workers against one',
        figure: figures.ratio,
        limit: 1.1,
      })),
    };
  },
};
