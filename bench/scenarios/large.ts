import type { Scenario } from './scenario.ts';
import { measureRounds, startUpstream } from './running.ts';
import { startSubjects } from './start-subjects.ts';

const wanted = ['nginx', 'haproxy', 'mgateway', 'envoy'];

/** What moving bytes costs, once a request costs nothing beside them. */
export const large: Scenario = {
  name: 'large',
  describe: 'answers of 1 MiB: bytes for each second of CPU',
  async run(bench) {
    const upstream = await startUpstream(bench);
    const names = bench.options.only.length > 0 ? bench.options.only : wanted;
    const running = await startSubjects(bench, 'plain', upstream.port, names);
    const measured = await measureRounds(bench, running, {
      headers: {},
      targetsOf: () => [{ path: '/bench/large' }],
    });
    const base = measured[0];
    const rows = measured.map((row) => ({
      name: row.name,
      figures: {
        perCpu: row.bodyBytesPerCpuSecond / 2 ** 20,
        ratio: row.bodyBytesPerCpuSecond / (base?.bodyBytesPerCpuSecond ?? NaN),
        rps: row.requestsPerSecond,
        memory: row.residentBytes / 2 ** 20,
        failures: row.failures,
      },
    }));
    const ours = rows.find(({ name }) => name === 'mgateway');
    return {
      name: 'large',
      title: 'Answers of 1 MiB',
      notes: [`${bench.options.connections} connections, medians of ${bench.options.rounds} rounds`],
      columns: [
        { key: 'perCpu', title: 'MiB/CPU s', digits: 0 },
        { key: 'ratio', title: 'ratio', digits: 2 },
        { key: 'rps', title: 'req/s', digits: 0 },
        { key: 'memory', title: 'RSS MiB', digits: 0 },
        { key: 'failures', title: 'failed', digits: 0 },
      ],
      rows,
      goals:
        ours === undefined || base?.name !== 'nginx'
          ? []
          : [
              {
                text: 'bytes per CPU second against nginx',
                figure: ours.figures.ratio,
                limit: 0.6,
                atLeast: true,
              },
            ],
      chart: 'perCpu',
    };
  },
};
