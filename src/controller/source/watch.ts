import { statSync } from 'node:fs';
import type { FSWatcher } from 'chokidar';
import { watch as watchDirectory } from 'chokidar';
import { reasonOf } from './reason-of.ts';

export interface DirectoryWatch {
  /** Watches exactly these directories from now on: directory → names in it that matter (`*`: all). */
  sync(wanted: ReadonlyMap<string, ReadonlySet<string>>): void;
  /** True: a directory has no watch, so that its changes have no events. */
  readonly blind: boolean;
  /** Tries again what could not be watched. */
  retry(): void;
  close(): Promise<void>;
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: string;
  names: ReadonlySet<string>;
  failed: boolean;
}

export interface DirectoryWatchOptions {
  readonly changed: () => void;
  /** A directory cannot be watched (any more); again for each try. */
  readonly failed: (directory: string, reason: string) => void;
  /** Default: chokidar's. */
  readonly openWatcher?: typeof watchDirectory;
}

/**
 * Says *that* something changed, never what. Directories are watched, never files: a watch on a file follows the old
 * inode through an editor's save and sees only the first swap of a mounted ConfigMap. One handle a directory, however
 * many files it holds. A watch can fail: a system allows so many a user (inotify: 128 processes), and whoever runs many
 * containers meets that limit. Then the poll has to see changes, and it asks for another try.
 */
export function createDirectoryWatch({
  changed,
  failed,
  openWatcher = watchDirectory,
}: DirectoryWatchOptions): DirectoryWatch {
  const open = new Map<string, Watched>();
  let closed = false;

  function start(directory: string, inode: string, names: ReadonlySet<string>): void {
    const watcher = openWatcher(directory, {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      // Its entries need no watches of their own: the directory's reports them by name.
      ignored: (path) => path !== directory,
    });
    const watched: Watched = { watcher, inode, names, failed: false };
    open.set(directory, watched);
    watcher.on('raw', (_event, name) => {
      // Where the platform gives no name, anything may have changed.
      const known = typeof name === 'string' && name !== '';
      if (!known || watched.names.has('*') || watched.names.has(name)) changed();
    });
    watcher.on('all', changed);
    // What happened before the watch was in place has no event.
    watcher.on('ready', changed);
    watcher.on('error', (error) => {
      watched.failed = true;
      failed(directory, reasonOf(error));
      changed();
    });
  }

  return {
    get blind() {
      return [...open.values()].some((watched) => watched.failed);
    },
    retry() {
      for (const [directory, watched] of [...open]) {
        if (!watched.failed) continue;
        open.delete(directory);
        void watched.watcher.close();
        const inode = inodeOf(directory);
        if (inode !== undefined) start(directory, inode, watched.names);
      }
    },
    sync(wanted) {
      if (closed) return;
      for (const [directory, watched] of open) {
        if (wanted.has(directory) && inodeOf(directory) === watched.inode) continue;
        open.delete(directory);
        void watched.watcher.close();
      }
      for (const [directory, names] of wanted) {
        const watched = open.get(directory);
        if (watched !== undefined) {
          watched.names = names;
          continue;
        }
        const inode = inodeOf(directory);
        if (inode !== undefined) start(directory, inode, names);
      }
    },
    async close() {
      closed = true;
      const watchers = [...open.values()];
      open.clear();
      await Promise.all(watchers.map(({ watcher }) => watcher.close()));
    },
  };
}

function inodeOf(directory: string): string | undefined {
  try {
    const { dev, ino } = statSync(directory);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
