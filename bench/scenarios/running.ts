import type { LoadOrder, LoadResult, Target } from '../load/order.ts';
import { runLoad } from '../load/load.ts';
import { median } from '../load/percentile.ts';
import type { Started } from '../process/start.ts';
import { startProcess } from '../process/start.ts';
import { upstreamCommand } from '../subjects/upstream.ts';
import type { Bench } from './scenario.ts';

/** Something that serves, ready to be measured. */
export interface Running {
  readonly name: string;
  readonly port: number;
  readonly process: Started;
  readonly remark?: string;
}

/** Medians over the rounds. */
export interface Measured {
  readonly name: string;
  readonly remark?: string;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  readonly bodyBytesPerCpuSecond: number;
  readonly residentBytes: number;
  readonly failures: number;
}

export async function startUpstream(
  bench: Bench,
): Promise<{ readonly port: number; readonly process: Started }> {
  const port = await bench.nextPort();
  const dir = bench.newDir('upstream');
  const process = startProcess('upstream', upstreamCommand(port, dir), `${dir}/log`, bench.closing);
  await process.listening(port);
  return { port, process };
}

export type LoadKind = Pick<LoadOrder, 'headers'> & {
  readonly targetsOf: (running: Running) => readonly Target[];
};
type Generate = (order: LoadOrder, bench: Bench) => Promise<LoadResult>;

/** Every one is warmed up, then measured in turn, round by round, so that what else the machine does meets all alike. */
export async function measureRounds(
  bench: Bench,
  all: readonly Running[],
  kind: LoadKind,
  generate: Generate = (order) => runLoad(order, bench.closing),
): Promise<readonly Measured[]> {
  const { rounds, seconds, connections } = bench.options;
  const dir = bench.newDir('load');
  const run = (running: Running, forSeconds: number): Promise<LoadResult> => {
    const { port } = running;
    const targets = kind.targetsOf(running);
    return generate({ port, connections, targets, headers: kind.headers, dir, seconds: forSeconds }, bench);
  };
  const found = new Map(all.map(({ name }) => [name, [] as Omit<Measured, 'name' | 'remark'>[]]));
  // A just-in-time compiler needs its time; a second round of the same would count it for the first.
  for (const running of all) await run(running, Math.min(3, seconds));
  for (let round = 1; round <= rounds; round++) {
    bench.say(`round ${round} of ${rounds}`);
    for (const running of all) {
      const before = running.process.cpuSeconds();
      const result = await run(running, seconds);
      const cpuSeconds = running.process.cpuSeconds() - before;
      if (result.failures > result.requests / 2)
        throw new Error(`${running.name}: most answers are failures`);
      found.get(running.name)?.push({
        requestsPerSecond: result.requestsPerSecond,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        cpuMicros: (cpuSeconds / Math.max(1, result.requests)) * 1e6,
        bodyBytesPerCpuSecond: result.bodyBytes / cpuSeconds,
        residentBytes: running.process.residentBytes(),
        failures: result.failures,
      });
    }
  }
  return all.map(({ name, remark }) => {
    const rows = found.get(name) ?? [];
    const middle = (pick: (row: (typeof rows)[number]) => number): number => median(rows.map(pick));
    return {
      name,
      ...(remark !== undefined && { remark }),
      requestsPerSecond: middle((row) => row.requestsPerSecond),
      p50Ms: middle((row) => row.p50Ms),
      p99Ms: middle((row) => row.p99Ms),
      cpuMicros: middle((row) => row.cpuMicros),
      bodyBytesPerCpuSecond: middle((row) => row.bodyBytesPerCpuSecond),
      residentBytes: middle((row) => row.residentBytes),
      failures: rows.reduce((sum, row) => sum + row.failures, 0),
    };
  });
}
