import { createHash } from 'node:crypto';
import type { Buffer } from 'node:buffer';
import type { Clock } from '../clock.ts';
import type { SourceCaps } from './caps.ts';
import { frozenMounts } from './frozen-mounts.ts';
import type { ListedFile, ListedRoot } from './list-root.ts';
import { listRoot, resolveRoot } from './list-root.ts';
import { readBytes } from './read-bytes.ts';

/** A file as it was read. */
export interface SourceFile {
  readonly root: string;
  /** As shown to people; the file's identity. */
  readonly path: string;
  readonly relative: string;
  readonly stamp: string;
  readonly swapped: boolean;
  readonly content:
    /** `hash`: SHA-256 in hexadecimal digits. */
    | { readonly state: 'read'; readonly hash: string; readonly bytes: Buffer }
    | { readonly state: 'unreadable'; readonly reason: string }
    /** Still being written: what it held last time stands. */
    | { readonly state: 'restless' };
}

export interface ReadSet {
  /** In order of the `--config` paths, then by name. */
  readonly files: readonly SourceFile[];
  readonly missing: readonly { readonly root: string; readonly reason: string }[];
  readonly remarks: readonly { readonly path: string; readonly message: string }[];
  /** False: something was still being written; read again soon. */
  readonly complete: boolean;
  /** Directory → names in it whose change matters (`*`: all). */
  readonly watch: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface Source {
  /** Has anything changed since the last `read`? Looks, opens nothing. */
  changed(): boolean;
  /** Reads the whole set, each `--config` path through one resolved target, so that two versions are never mixed. */
  read(): Promise<ReadSet>;
}

export interface SourceOptions {
  readonly paths: readonly string[];
  readonly caps: SourceCaps;
  readonly clock: Clock;
}

interface Known {
  readonly root: string;
  readonly relative: string;
  readonly stamp: string;
  readonly swapped: boolean;
}

/** A directory swapped this often while it was read is read as it is: the event of the last swap brings it again. */
const maxSwaps = 8;

export function createSource({ paths, caps, clock }: SourceOptions): Source {
  const known = new Map<string, Known>();
  /** When a stamp was first seen: a clock that jumps must not make a growing file look old. */
  const firstSeen = new Map<string, { readonly stamp: string; readonly at: number }>();
  const shapes = new Map<string, 'file' | 'directory'>();
  let fingerprint = '';

  function look(): readonly ListedRoot[] {
    return [...new Set(paths)].map((path) => {
      const listed = listRoot(path, caps.maxFiles);
      if (listed.missing !== undefined) return listed;
      const shape = listed.files.length === 1 && listed.files[0]?.path === path ? 'file' : 'directory';
      const before = shapes.get(path) ?? shape;
      shapes.set(path, before);
      // Nothing may be deleted because an editor or a script put something else in the place for a while.
      return before === shape
        ? listed
        : {
            ...listed,
            files: [],
            resolved: [],
            missing: `was a ${before} at the start and is a ${shape} now`,
          };
    });
  }

  /** Milliseconds until every changed file has rested; 0: all have. */
  function unrest(roots: readonly ListedRoot[]): {
    readonly waitMs: number;
    readonly paths: ReadonlySet<string>;
  } {
    const now = clock.now();
    const restless = new Set<string>();
    let waitMs = 0;
    const note = (path: string, ms: number): void => {
      if (ms <= 0) return;
      restless.add(path);
      waitMs = Math.max(waitMs, ms);
    };
    const present = new Set<string>();
    for (const root of roots) {
      for (const file of root.files) {
        present.add(file.path);
        if (file.swapped || known.get(file.path)?.stamp === identityOf(file)) continue;
        note(file.path, restOf(file, now));
      }
    }
    const missing = new Set(roots.filter((root) => root.missing !== undefined).map((root) => root.root));
    for (const [path, entry] of known) {
      if (present.has(path) || entry.swapped || isUnder(path, missing)) continue;
      // An editor may remove a file and create it anew: gone is what is still gone a moment later.
      note(path, caps.restMs - (now - seenSince(path, 'gone', now)));
    }
    for (const path of firstSeen.keys()) if (!restless.has(path)) firstSeen.delete(path);
    return { waitMs, paths: restless };
  }

  function restOf(file: ListedFile, now: number): number {
    if (file.obstacle !== undefined) return caps.restMs - (now - seenSince(file.path, identityOf(file), now));
    const age = now - file.changedAt;
    if (age >= caps.restMs) return 0;
    const seen = now - seenSince(file.path, file.stamp, now);
    return caps.restMs - Math.max(age, seen);
  }

  function seenSince(path: string, stamp: string, now: number): number {
    const seen = firstSeen.get(path);
    // Seen in what is the future now: the clock was set back.
    if (seen?.stamp === stamp && seen.at <= now) return seen.at;
    firstSeen.set(path, { stamp, at: now });
    return now;
  }

  async function settle(): Promise<{
    readonly roots: readonly ListedRoot[];
    readonly restless: ReadonlySet<string>;
  }> {
    let deadline = Infinity;
    for (;;) {
      deadline = Math.min(deadline, clock.now() + caps.maxWaitMs);
      const roots = look();
      const { waitMs, paths: restless } = unrest(roots);
      if (waitMs <= 0 || clock.now() >= deadline) return { roots, restless };
      await clock.sleep(Math.max(1, Math.min(waitMs, deadline - clock.now())));
    }
  }

  function readRoot(listed: ListedRoot, restless: ReadonlySet<string>): readonly SourceFile[] {
    return listed.files.map((file) => {
      const base = {
        root: listed.root,
        path: file.path,
        relative: file.relative,
        stamp: identityOf(file),
        swapped: file.swapped,
      };
      if (restless.has(file.path)) return { ...base, content: { state: 'restless' } };
      if (file.obstacle !== undefined) {
        return { ...base, content: { state: 'unreadable', reason: file.obstacle } };
      }
      const found = readBytes(file.target, caps.maxFileBytes);
      if (found.state === 'unreadable') return { ...base, content: found };
      if (found.state === 'moved') return { ...base, content: { state: 'restless' } };
      const hash = createHash('sha256').update(found.bytes).digest('hex');
      return { ...base, stamp: found.stamp, content: { state: 'read', hash, bytes: found.bytes } };
    });
  }

  /** Files that are gone, but not for long enough. */
  function leaving(listed: ListedRoot, restless: ReadonlySet<string>): readonly SourceFile[] {
    const present = new Set(listed.files.map((file) => file.path));
    const files: SourceFile[] = [];
    for (const path of restless) {
      const entry = known.get(path);
      if (entry?.root !== listed.root || present.has(path)) continue;
      const { root, relative, stamp, swapped } = entry;
      files.push({ root, path, relative, stamp, swapped, content: { state: 'restless' } });
    }
    return files;
  }

  function remember(files: readonly SourceFile[], roots: readonly ListedRoot[]): void {
    const present = new Set(files.map((file) => file.path));
    const missing = new Set(roots.filter((root) => root.missing !== undefined).map((root) => root.root));
    for (const path of known.keys()) {
      if (!present.has(path) && !isUnder(path, missing)) known.delete(path);
    }
    for (const { root, relative, path, content, stamp, swapped } of files) {
      if (content.state === 'restless') continue;
      known.set(path, { root, relative, stamp, swapped });
    }
    fingerprint = fingerprintOf(roots);
  }

  return {
    changed: () => fingerprintOf(look()) !== fingerprint,
    async read() {
      for (let swaps = 0; ; swaps += 1) {
        const { roots, restless } = await settle();
        const files = roots.flatMap((root) => [...readRoot(root, restless), ...leaving(root, restless)]);
        const moved = roots.some(
          (root) => root.missing === undefined && !isStillResolved(root, resolveRoot(root.root)),
        );
        if (moved && swaps < maxSwaps) continue;
        remember(files, roots);
        return {
          files,
          missing: roots.flatMap(({ root, missing }) =>
            missing === undefined ? [] : [{ root, reason: missing }],
          ),
          remarks: [...roots.flatMap((root) => root.remarks), ...frozenMounts(roots)],
          complete: !moved && restless.size === 0 && files.every((file) => file.content.state !== 'restless'),
          watch: mergeWatches(roots.map((root) => root.watch)),
        };
      }
    },
  };
}

function isStillResolved(root: ListedRoot, resolved: readonly string[]): boolean {
  return root.resolved.length === resolved.length && root.resolved.every((part, i) => part === resolved[i]);
}

function isUnder(path: string, roots: ReadonlySet<string>): boolean {
  for (const root of roots)
    if (path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)) return true;
  return false;
}

function identityOf(file: ListedFile): string {
  return file.obstacle ?? file.stamp;
}

function fingerprintOf(roots: readonly ListedRoot[]): string {
  const hash = createHash('sha1');
  for (const root of roots) {
    hash.update(`${root.root}\0${root.missing ?? ''}\0${root.resolved.join('\0')}\n`);
    for (const file of root.files) hash.update(`${file.path}\0${identityOf(file)}\n`);
  }
  return hash.digest('base64');
}

function mergeWatches(
  watches: readonly ReadonlyMap<string, ReadonlySet<string>>[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const merged = new Map<string, Set<string>>();
  for (const watch of watches) {
    for (const [directory, names] of watch) {
      const all = merged.get(directory) ?? new Set<string>();
      for (const name of names) all.add(name);
      merged.set(directory, all);
    }
  }
  return merged;
}
