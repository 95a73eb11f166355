import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Closing } from '../process/closing.ts';
import type { LoadOrder, LoadResult } from './order.ts';
import { runChild } from './run-child.ts';

export interface GenerateOrder extends LoadOrder {
  /** Requests a second at a constant rate (open loop); 0: as many as come back (closed loop). */
  readonly rate: number;
}

/** Our own generator in a process of its own. */
export async function generate(order: GenerateOrder, closing: Closing): Promise<LoadResult> {
  const file = join(order.dir, 'order.json');
  writeFileSync(file, JSON.stringify(order));
  return runProgram('generator.ts', file, closing);
}

/** As many tunnels as connections, a small message each at a time. */
export async function generateTunnels(order: LoadOrder, closing: Closing): Promise<LoadResult> {
  const file = join(order.dir, 'order.json');
  writeFileSync(file, JSON.stringify(order));
  return runProgram('tunnels.ts', file, closing);
}

async function runProgram(name: string, file: string, closing: Closing): Promise<LoadResult> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const args = ['--import=ts-blank-space/register', program, file];
  return JSON.parse(await runChild(process.execPath, args, closing)) as LoadResult;
}
