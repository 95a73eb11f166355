import { loadProgram } from '../load/load.ts';
import type { Goal, Report } from '../report/report.ts';
import type { Variant } from '../subjects/subject.ts';
import type { Measured } from './running.ts';
import { measureRounds, startUpstream } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import { headersOf, startSubjects } from './start-subjects.ts';

export const plain = proxyScenario('plain', 'Plain proxying: a prefix, 128-byte answers');
export const full = proxyScenario('full', 'JWT (HS256), rate limit, a header each way, metrics');

function proxyScenario(variant: Variant, title: string): Scenario {
  return { name: variant, describe: title, run: (bench) => run(bench, variant, title) };
}

async function run(bench: Bench, variant: Variant, title: string): Promise<Report> {
  const upstream = await startUpstream(bench);
  const running = await startSubjects(bench, variant, upstream.port);
  const measured = await measureRounds(bench, running, {
    headers: headersOf(variant),
    targetsOf: () => [{ path: '/bench/users/1' }],
  });
  const base = measured[0];
  if (base === undefined) throw new Error('nothing is installed that could be measured');
  const ratio = (name: string): number =>
    (measured.find((row) => row.name === 'mgateway')?.cpuMicros ?? NaN) /
    (measured.find((row) => row.name === name)?.cpuMicros ?? NaN);
  const goal = (name: string, limit: number): readonly Goal[] =>
    Number.isFinite(ratio(name))
      ? [{ text: `CPU per request against ${name}`, figure: ratio(name), limit }]
      : [];
  return {
    name: variant,
    title,
    notes: [
      `${loadProgram()}, ${bench.options.connections} connections, medians of ${bench.options.rounds} rounds of ${bench.options.seconds} s; ${bench.options.workers} worker(s) each; ratios to ${base.name}`,
    ],
    columns: [
      { key: 'cpu', title: 'CPU µs/req', digits: 1 },
      { key: 'ratio', title: 'ratio', digits: 2 },
      { key: 'rps', title: 'req/s', digits: 0 },
      { key: 'rpsRatio', title: 'ratio', digits: 2 },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'memory', title: 'RSS MiB', digits: 0 },
      { key: 'failures', title: 'failed', digits: 0 },
    ],
    rows: [...measured]
      .sort((a, b) => a.cpuMicros - b.cpuMicros)
      .map((row) => ({
        name: row.name,
        figures: figuresOf(row, base),
        ...(row.remark !== undefined && { remark: row.remark }),
      })),
    goals: variant === 'plain' ? goal('nginx', 1.6) : [...goal('haproxy', 1.15), ...goal('envoy', 0.55)],
    chart: 'cpu',
  };
}

function figuresOf(row: Measured, base: Measured): Readonly<Record<string, number>> {
  return {
    cpu: row.cpuMicros,
    ratio: row.cpuMicros / base.cpuMicros,
    rps: row.requestsPerSecond,
    rpsRatio: row.requestsPerSecond / base.requestsPerSecond,
    p50: row.p50Ms,
    p99: row.p99Ms,
    memory: row.residentBytes / 2 ** 20,
    failures: row.failures,
  };
}
