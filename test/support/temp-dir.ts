import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';

/** An empty directory of its own, removed at the end. */
export function tempDir(cleanup: Cleanup): string {
  const dir = mkdtempSync(join(tmpdir(), 'mgateway-test-'));
  cleanup.add(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
