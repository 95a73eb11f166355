import { createHmac, randomBytes } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { KeyRequest, KeyState } from '../translate/translation.ts';
import { frozenFiles } from './frozen-mounts.ts';
import { stampOf } from './list-root.ts';
import { readBytes } from './read-bytes.ts';
import { reasonOf } from './reason-of.ts';

export interface KeyVersions {
  /** Version of what a reference points to, read afresh once for each `begin`; never the content itself. */
  state(request: KeyRequest): KeyState;
  /** Version of a file below the modules directory; undefined if there is no such directory. */
  module(path: string): KeyState | undefined;
  /** A new reconcile: files and variables are looked at again; those that no reconcile asks for are forgotten. */
  begin(): void;
  /** Has a file that was asked for changed since it was read? */
  changed(): boolean;
  /** Files that were asked for whose updates never show, as references name them, and why. */
  frozen(): ReadonlyMap<string, string>;
  /** Directory → names in it whose change matters. */
  watch(): ReadonlyMap<string, ReadonlySet<string>>;
}

/** A secret, key set or module is small; more is a mistake. */
const maxKeyBytes = 1024 * 1024;

/**
 * Versions of secrets and key sets: a keyed hash of the content under a key that lives as long as the process, so that
 * a version in a snapshot, a log or a dump tells nothing about the secret, not even whether a guess is right. Where
 * versions are compared with those of another thread, both are given the same `key`.
 */
export function createKeyVersions(
  environment: Readonly<Record<string, string | undefined>>,
  modulesDir?: string,
  key: Uint8Array = randomBytes(32),
): KeyVersions {
  let files = new Map<string, { readonly stamp: string; readonly state: KeyState }>();
  let previous = files;

  const hash = (content: string | Buffer): KeyState => ({
    version: createHmac('sha256', key).update(content).digest('base64url').slice(0, 16),
  });

  function fileState(path: string): KeyState {
    const seen = files.get(path);
    if (seen !== undefined) return seen.state;
    const stamp = stampAt(path);
    const before = previous.get(path);
    const state = before !== undefined && before.stamp === stamp ? before.state : readState(path);
    files.set(path, { stamp, state });
    return state;
  }

  function readState(path: string): KeyState {
    // A file that is written while it is read changes its stamp, and is then read again.
    const found = readBytes(path, maxKeyBytes);
    if (found.state === 'read')
      return found.bytes.length === 0 ? { error: `${path}: is empty` } : hash(found.bytes);
    return { error: `${path}: ${found.state === 'moved' ? 'is being written' : found.reason}` };
  }

  return {
    begin() {
      previous = files;
      files = new Map();
    },
    state({ source }) {
      if ('file' in source) return fileState(source.file);
      if ('inline' in source) return hash(source.inline);
      if ('url' in source) return { version: '0' };
      const value = environment[source.env];
      if (value === undefined || value === '')
        return { error: `environment variable ${source.env} is not set` };
      return hash(value);
    },
    module: (path) => (modulesDir === undefined ? undefined : fileState(join(modulesDir, path))),
    changed: () => [...files].some(([path, { stamp }]) => stampAt(path) !== stamp),
    frozen() {
      const frozen = frozenFiles([...files.keys()]);
      if (modulesDir === undefined) return frozen;
      // References name modules by their path below the directory.
      return new Map([...frozen].map(([path, why]) => [belowOf(modulesDir, path), why]));
    },
    watch() {
      const watch = new Map<string, Set<string>>();
      const add = (path: string): void => {
        const names = watch.get(dirname(path)) ?? new Set(['..data']);
        names.add(basename(path));
        watch.set(dirname(path), names);
      };
      for (const path of files.keys()) {
        add(resolve(path));
        try {
          add(realpathSync(path));
        } catch {
          // Not there: its directory is watched for it to come.
        }
      }
      return watch;
    },
  };
}

function belowOf(directory: string, path: string): string {
  const below = relative(directory, path);
  return below.startsWith('..') || isAbsolute(below) ? path : below;
}

function stampAt(path: string): string {
  try {
    return stampOf(statSync(path, { bigint: true }));
  } catch (error) {
    return reasonOf(error);
  }
}

/** For `--offline`: references are taken as they are, nothing is read. */
export const offlineKeyVersions: KeyVersions = {
  state: () => ({ version: 'offline' }),
  module: () => undefined,
  begin: () => undefined,
  changed: () => false,
  frozen: () => new Map(),
  watch: () => new Map(),
};
