import { generate } from '../load/generate.ts';
import { measureRounds, startUpstream } from './running.ts';
import type { Scenario } from './scenario.ts';
import { startSubjects } from './start-subjects.ts';

const rate = 2_000;
const wanted = ['nginx', 'haproxy', 'mgateway', 'envoy'];

/** How late answers are while nothing is short of CPU. */
export const tail: Scenario = {
  name: 'tail',
  describe: `a constant ${rate} requests a second, due whatever the answers do (open loop)`,
  async run(bench) {
    const upstream = await startUpstream(bench);
    const names = bench.options.only.length > 0 ? bench.options.only : wanted;
    const running = await startSubjects(bench, 'plain', upstream.port, names);
    const measured = await measureRounds(
      bench,
      running,
      { headers: {}, targetsOf: () => [{ path: '/bench/users/1' }] },
      (order) => generate({ ...order, rate }, bench.closing),
    );
    const base = measured[0];
    const rows = measured.map((row) => ({
      name: row.name,
      figures: {
        p50: row.p50Ms,
        p99: row.p99Ms,
        ratio: row.p99Ms / (base?.p99Ms ?? NaN),
        cpu: row.cpuMicros,
        failures: row.failures,
      },
    }));
    const ours = rows.find(({ name }) => name === 'mgateway');
    return {
      name: 'tail',
      title: `Latency at ${rate} requests a second`,
      notes: ['counted from when a request was due, not from when it could be sent'],
      columns: [
        { key: 'p50', title: 'p50 ms', digits: 3 },
        { key: 'p99', title: 'p99 ms', digits: 3 },
        { key: 'ratio', title: 'p99 ratio', digits: 2 },
        { key: 'cpu', title: 'CPU µs/req', digits: 1 },
        { key: 'failures', title: 'failed', digits: 0 },
      ],
      rows,
      goals:
        ours === undefined || base?.name !== 'nginx'
          ? []
          : [{ text: 'p99 against nginx', figure: ours.figures.ratio, limit: 1.5 }],
      chart: 'p99',
    };
  },
};
