import { readFileSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ListedRoot } from './list-root.ts';

/** One line of /proc/self/mountinfo (proc(5)). */
interface Mount {
  /** Which directory or file of its file system is shown. */
  readonly root: string;
  /** Where it is shown. */
  readonly point: string;
}

/** The directory of one version of a ConfigMap, Secret or projected volume, as the kubelet names it. */
const versionDirectory = /\/\.\.\d{4}_\d{2}_\d{2}_\d{2}_\d{2}_\d{2}\.\d+(?:\/|$)/;

/**
 * Configuration that is mounted in a way that hides its updates: a file that is a mount of its own, or a directory that
 * is one version of a ConfigMap. Both are what `subPath` does: such a mount shows an inode, and whatever is put in its
 * place outside never shows. The mount table tells, not `st_dev`: a bind mount keeps the device of its origin.
 */
export function frozenMounts(
  roots: readonly ListedRoot[],
  mountInfo: string = readMountInfo(),
): readonly { readonly path: string; readonly message: string }[] {
  const mounts = readMounts(mountInfo);
  const remarks: { path: string; message: string }[] = [];
  for (const { root, resolved, files } of roots) {
    for (const { path, target } of files) {
      const mount = mounts.get(target);
      if (mount !== undefined) remarks.push({ path, message: messageOf(mount) });
    }
    // Unresolved: what it shows is gone by now.
    const version = mountAbove(mounts, resolved[0] ?? resolve(root));
    if (version !== undefined && versionDirectory.test(version.root) && version.point !== files[0]?.target) {
      remarks.push({
        path: root,
        message:
          'is one version of a volume, mounted by `subPath`: updates are never seen here; mount the whole volume instead',
      });
    }
  }
  return remarks;
}

/** Of single files that are read again when they change, such as secrets: those whose updates are hidden, and how. */
export function frozenFiles(
  paths: readonly string[],
  mountInfo: string = readMountInfo(),
): ReadonlyMap<string, string> {
  const mounts = readMounts(mountInfo);
  const frozen = new Map<string, string>();
  for (const path of paths) {
    const target = targetOf(path);
    const own = mounts.get(target);
    const mount = own ?? mountAbove(mounts, target);
    if (mount !== undefined && (own !== undefined || versionDirectory.test(mount.root)))
      frozen.set(path, messageOf(mount));
  }
  return frozen;
}

function messageOf(mount: Mount): string {
  const how = versionDirectory.test(mount.root)
    ? 'is mounted by `subPath`'
    : 'is a mount of its own (a `subPath`, or a single file given to a container)';
  return `${how}: updates that replace it are never seen here; mount the whole directory instead`;
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there, or no longer: its own name is the best there is.
    return resolve(path);
  }
}

/** By mount point. The last line for one is the one on top. */
function readMounts(mountInfo: string): ReadonlyMap<string, Mount> {
  return new Map(parseMounts(mountInfo).map((mount) => [mount.point, mount]));
}

/** The mount that shows `path`. */
function mountAbove(mounts: ReadonlyMap<string, Mount>, path: string): Mount | undefined {
  for (let at = path; ; at = dirname(at)) {
    const mount = mounts.get(at);
    if (mount !== undefined || at === dirname(at)) return mount;
  }
}

function readMountInfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    // Not Linux, or a /proc that tells nothing: then there is nothing to say.
    return '';
  }
}

function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, , , root, point] = line.split(' ');
    return root === undefined || point === undefined
      ? []
      : [{ root: unescaped(root), point: unescaped(point) }];
  });
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
