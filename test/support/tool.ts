import type { Context } from 'mocha';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program of the operating system is; undefined if it is not installed. */
export function findTool(name: string): string | undefined {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

/** Skips a test, and says why: a test that silently does not run is one that nobody has. */
export function skipAloud(context: Context, why: string): never {
  process.stderr.write(`SKIPPED: ${context.test?.fullTitle() ?? 'a suite'}: ${why}\n`);
  return context.skip();
}
