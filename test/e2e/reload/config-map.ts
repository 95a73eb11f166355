import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Cleanup } from '../../support/cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';

/** A mounted ConfigMap as the kubelet keeps it: every file a link through `..data`, which is a link to a version. */
export interface ConfigMapVolume {
  readonly dir: string;
  /** Puts a whole new version in place in one step, as the kubelet's atomic writer does. */
  swap(files: Readonly<Record<string, string>>): void;
}

export function mountConfigMap(cleanup: Cleanup, files: Readonly<Record<string, string>>): ConfigMapVolume {
  const dir = tempDir(cleanup);
  let current: string | undefined;
  const swap = (next: Readonly<Record<string, string>>): void => {
    const version = mkdtempSync(join(dir, '..2026_'));
    for (const [name, text] of Object.entries(next)) writeFileSync(join(version, name), text);
    symlinkSync(basename(version), join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
    const seen = new Set(readdirSync(dir));
    for (const name of Object.keys(next)) {
      if (!seen.has(name)) symlinkSync(join('..data', name), join(dir, name));
    }
    for (const name of seen) if (!name.startsWith('..') && !(name in next)) rmSync(join(dir, name));
    if (current !== undefined) rmSync(current, { recursive: true });
    current = version;
  };
  mkdirSync(dir, { recursive: true });
  swap(files);
  return { dir, swap };
}
