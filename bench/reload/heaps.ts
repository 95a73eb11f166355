import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Started } from '../process/start.ts';

/** What one thread holds after collection; bytes. */
export interface HeapProbe {
  readonly id: number;
  /** 0: main, 1: config, then the workers. */
  readonly thread: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly resources: Readonly<Record<string, number>>;
}

/** Arguments of Node that make a program answer `probeHeaps`; HEAP_PROBE in its environment names the file. */
export const heapProbeArguments = ['--import', fileURLToPath(new URL('./heap-probe.mjs', import.meta.url))];

/** What each thread holds, once nothing of the last reloads is on its way any more. */
export async function probeHeaps(program: Started, file: string): Promise<readonly HeapProbe[]> {
  await wait(2_000);
  process.kill(program.pid, 'SIGUSR2');
  await wait(1_500);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  const all = lines.map((line) => JSON.parse(line) as HeapProbe);
  const last = all.at(-1)?.id;
  return all.filter(({ id }) => id === last).sort((a, b) => a.thread - b.thread);
}
