import { existsSync } from 'node:fs';
import { visible } from '../telemetry/visible.ts';
import type { ProgramIo } from './program-io.ts';

/** Says which of the paths of a command are not there; false: all are. */
export function sayAbsent(paths: readonly string[], { stderr }: Pick<ProgramIo, 'stderr'>): boolean {
  const absent = paths.filter((path) => !existsSync(path));
  for (const path of absent) stderr.write(`${visible(path)}: no such file or directory\n`);
  return absent.length > 0;
}
