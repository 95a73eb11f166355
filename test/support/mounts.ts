import { spawnSync } from 'node:child_process';
import type { ProgramOptions } from './program.ts';

export interface Mount {
  readonly from: string;
  readonly at: string;
}

/** What `startProgram` takes to run the program in a mount namespace of its own: its mounts end with it. */
export interface Mounted {
  readonly node: NonNullable<ProgramOptions['node']>;
  readonly nodeArgs: NonNullable<ProgramOptions['nodeArgs']>;
}

/** Mounts each pair read-only before the program begins, then becomes the program. */
const script = `set -e
while [ "$1" != -- ]; do
  mount --bind "$1" "$2"
  mount -o remount,bind,ro "$2"
  shift 2
done
shift
exec "$@"`;

/** A file system of its own of so many bytes, then becomes the program. */
const tmpfsScript = `set -e
mount -t tmpfs -o "size=$1" tmpfs "$2"
shift 2
exec "$@"`;

/**
 * A small file system at `at` that only the program sees (others through /proc/PID/root); undefined where the system does not
 * permit it.
 */
export function smallFileSystem(at: string, bytes: number): Mounted | undefined {
  return namespaced(tmpfsScript, [String(bytes), at]);
}

/** Bind mounts, read-only, that only the program sees; undefined where the system does not permit it. */
export function readOnlyMounts(mounts: readonly Mount[]): Mounted | undefined {
  return namespaced(script, [...mounts.flatMap(({ from, at }) => [from, at]), '--']);
}

function namespaced(before: string, parameters: readonly string[]): Mounted | undefined {
  const isRoot = process.getuid?.() === 0;
  const unshare = ['--mount', ...(isRoot ? [] : ['--map-root-user']), 'sh', '-c', before, 'sh'];
  const args = [...unshare, ...parameters];
  const { status } = spawnSync('unshare', [...args, 'true'], { stdio: 'ignore' });
  return status === 0 ? { node: 'unshare', nodeArgs: [...args, process.execPath] } : undefined;
}
