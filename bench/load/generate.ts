import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Closing } from '../process/closing.ts';
import type { LoadOrder, LoadResult } from './load.ts';
import { runChild } from './run-child.ts';

export interface GenerateOrder extends LoadOrder {
  /** Requests a second at a constant rate (open loop); 0: as many as come back (closed loop). */
  readonly rate: number;
}

/** Our own generator in a process of its own. */
export async function generate(order: GenerateOrder, closing: Closing): Promise<LoadResult> {
  const file = join(order.dir, 'order.json');
  writeFileSync(file, JSON.stringify(order));
  const program = fileURLToPath(new URL('generator.ts', import.meta.url));
  const output = await runChild(
    process.execPath,
    ['--import=ts-blank-space/register', program, file],
    closing,
  );
  return JSON.parse(output) as LoadResult;
}
