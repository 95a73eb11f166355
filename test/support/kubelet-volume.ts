import { randomInt } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Path in the volume → content. A projected volume holds those of several ConfigMaps and Secrets. */
export type Payload = Readonly<Record<string, string>>;

export interface KubeletVolume {
  readonly dir: string;
  /** Directory of the version that is in place. */
  current(): string;
  /** Puts a version in place; returns the moment (performance.now) of the rename that does it. */
  write(payload: Payload): number;
}

/**
 * A ConfigMap, Secret or projected volume as the kubelet writes it (kubernetes `pkg/volume/util/atomic_writer.go`), step by
 * step: a new directory named by the time, its files and modes, `..data_tmp` renamed over `..data`, links for names that
 * are new, no links for names that are gone, and only then the old directory removed.
 */
export function kubeletVolume(dir: string): KubeletVolume {
  const data = join(dir, '..data');
  const current = (): string => join(dir, readlinkSync(data));
  return {
    dir,
    current,
    write(payload) {
      const old = existsSync(data) ? current() : undefined;
      const version = join(dir, `${stampOf(new Date())}${randomInt(2 ** 32)}`);
      mkdirSync(version);
      chmodSync(version, 0o755);
      for (const [path, content] of Object.entries(payload)) {
        const target = join(version, path);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, content);
        chmodSync(target, 0o644);
      }
      symlinkSync(basename(version), join(dir, '..data_tmp'));
      renameSync(join(dir, '..data_tmp'), data);
      const swappedAt = performance.now();
      const visible = new Set(Object.keys(payload).map((path) => path.split('/')[0] ?? ''));
      for (const name of visible) {
        const isThere = lstatSync(join(dir, name), { throwIfNoEntry: false }) !== undefined;
        if (!isThere) symlinkSync(join('..data', name), join(dir, name));
      }
      for (const name of readdirSync(dir)) {
        if (!name.startsWith('..') && !visible.has(name)) rmSync(join(dir, name));
      }
      if (old !== undefined) rmSync(old, { recursive: true });
      return swappedAt;
    },
  };
}

/** `..2006_01_02_15_04_05.`, before the random digits. */
function stampOf(time: Date): string {
  return `..${time.toISOString().slice(0, 19).replace(/[-T:]/g, '_')}.`;
}
