import type { BigIntStats } from 'node:fs';
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { reasonOf } from './reason-of.ts';

/** One file as a look found it. */
export interface ListedFile {
  /** As shown to people: the `--config` path and the name in it. */
  readonly path: string;
  /** Relative to its `--config` path; for a file given itself, its name. */
  readonly relative: string;
  /** What to open: inside the one resolved `..data` target where the file is reached through it. */
  readonly target: string;
  /** Changes whenever the file was written, replaced or re-linked. Empty where there is nothing to read. */
  readonly stamp: string;
  /** Unix milliseconds of the last change, set by the kernel (unlike mtime it cannot be chosen). */
  readonly changedAt: number;
  /** Reached through `..data`: complete from the start, never written again. */
  readonly swapped: boolean;
  /** Why it cannot be read. */
  readonly obstacle?: string;
}

/** One `--config` path as a look found it. */
export interface ListedRoot {
  readonly root: string;
  /** Why there is nothing: the path is gone or cannot be listed. */
  readonly missing?: string;
  /** Resolved root and `..data` target: if either differs after reading, two versions may have been mixed. */
  readonly resolved: readonly string[];
  readonly files: readonly ListedFile[];
  /** Things in it that are worth a word, each `path: reason`. */
  readonly remarks: readonly { readonly path: string; readonly message: string }[];
  /** Directory → names in it that matter (`*`: all). */
  readonly watch: ReadonlyMap<string, ReadonlySet<string>>;
}

const extensions = ['.yaml', '.yml', '.json'];

/** Hidden files and the kubelet's `..2026_…` directories are never configuration. */
function isConfigName(name: string): boolean {
  return !name.startsWith('.') && extensions.some((extension) => name.endsWith(extension));
}

/**
 * Looks at one `--config` path: a file, or a directory whose entries (one level, no sub-directories) are files.
 * Never opens anything, so that no FIFO, device or socket can hold it up; never throws.
 */
export function listRoot(root: string, maxFiles: number): ListedRoot {
  const absolute = resolve(root);
  const watch = new Map<string, Set<string>>([[dirname(absolute), new Set([basename(absolute)])]]);
  const gone = (error: unknown): ListedRoot => ({
    root,
    missing: reasonOf(error),
    resolved: [],
    files: [],
    remarks: [],
    watch,
  });
  try {
    const stats = statSync(absolute);
    if (!stats.isDirectory()) return listSingle(root, absolute, watch);
    // A mount goes on showing a directory that was removed, as an empty one: nobody meant to delete what it held.
    if (stats.nlink === 0) return gone(new Error('was removed where it is mounted from'));
  } catch (error) {
    // A dangling or looping link that was given itself is there, but cannot be read; the store treats both alike.
    return gone(error);
  }
  try {
    return listDirectory(root, realpathSync(absolute), watch, maxFiles);
  } catch (error) {
    return gone(error);
  }
}

/** The parts whose change means that a directory was swapped while it was read. */
export function resolveRoot(root: string): readonly string[] {
  try {
    const real = realpathSync(resolve(root));
    return [real, dataTarget(real) ?? ''];
  } catch {
    return [];
  }
}

function listSingle(root: string, absolute: string, watch: Map<string, Set<string>>): ListedRoot {
  const target = realpathSync(absolute);
  addWatch(watch, dirname(absolute), '..data');
  addWatch(watch, dirname(target), basename(target));
  const swapped = linkText(absolute)?.startsWith(`..data${sep}`) ?? false;
  const file = stampFile({ path: root, relative: basename(absolute), target, swapped });
  return { root, resolved: [target, ''], files: [file], remarks: [], watch };
}

function listDirectory(
  root: string,
  real: string,
  watch: Map<string, Set<string>>,
  maxFiles: number,
): ListedRoot {
  addWatch(watch, real, '*');
  const data = dataTarget(real);
  const names: string[] = [];
  const remarks: { path: string; message: string }[] = [];
  for (const entry of readdirSync(real, { withFileTypes: true })) {
    if (isConfigName(entry.name)) names.push(entry.name);
    else if (entry.isDirectory() && !entry.name.startsWith('.') && holdsConfig(join(real, entry.name))) {
      remarks.push({
        path: join(root, entry.name),
        message: 'sub-directories are not read; give it as a --config of its own',
      });
    }
  }
  if (names.length === 0 && remarks.length === 0)
    remarks.push({ path: root, message: 'holds no file that ends in .yaml, .yml or .json' });
  names.sort();
  const beyond = names.splice(maxFiles);
  if (beyond.length > 0) {
    const message = `holds ${names.length + beyond.length} files; only the first ${maxFiles} are read`;
    remarks.push({ path: root, message });
  }
  const files = names.map((name): ListedFile => {
    const path = join(root, name);
    const link = linkText(join(real, name));
    if (data !== undefined && link?.startsWith(`..data${sep}`) === true) {
      return stampFile({ path, relative: name, target: join(data, link.slice(7)), swapped: true });
    }
    // What a link points to may change without an event in this directory.
    if (link !== undefined) {
      const target = resolve(real, link);
      addWatch(watch, dirname(target), basename(target));
    }
    return stampFile({ path, relative: name, target: join(real, name), swapped: false });
  });
  // Refused, not gone: what one of them held before stays.
  const obstacle = `is not among the first ${maxFiles} files, which are read`;
  for (const name of beyond.slice(0, maxFiles)) {
    const path = join(root, name);
    const target = join(real, name);
    files.push({ path, relative: name, target, swapped: false, stamp: '', changedAt: 0, obstacle });
  }
  return { root, resolved: [real, data ?? ''], files, remarks, watch };
}

type Found = Pick<ListedFile, 'path' | 'relative' | 'target' | 'swapped'>;

function stampFile(found: Found): ListedFile {
  let stats: BigIntStats;
  try {
    stats = statSync(found.target, { bigint: true });
  } catch (error) {
    return { ...found, stamp: '', changedAt: 0, obstacle: reasonOf(error) };
  }
  const stamp = stampOf(stats);
  const changedAt = Number(stats.ctimeMs);
  if (stats.isFile()) return { ...found, stamp, changedAt };
  return { ...found, stamp: '', changedAt: 0, obstacle: `is ${kindOf(stats)}, not a regular file` };
}

/** Equal for equal content, short of somebody writing to the disk behind the kernel's back. */
export function stampOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

function dataTarget(real: string): string | undefined {
  const link = join(real, '..data');
  return linkText(link) === undefined ? undefined : realpathSync(link);
}

function linkText(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function holdsConfig(directory: string): boolean {
  try {
    return readdirSync(directory).some(isConfigName);
  } catch {
    return false;
  }
}

function addWatch(watch: Map<string, Set<string>>, directory: string, name: string): void {
  const names = watch.get(directory);
  if (names === undefined) watch.set(directory, new Set([name]));
  else names.add(name);
}
