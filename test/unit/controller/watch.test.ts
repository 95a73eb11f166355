import { expect } from 'chai';
import type { FSWatcher } from 'chokidar';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { createDirectoryWatch } from '../../../src/controller/source/watch.ts';

/** Watchers as chokidar gives them where the system has none left: they only ever say so. */
class FakeWatcher extends EventEmitter {
  closed = false;
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

describe('createDirectoryWatch', () => {
  it('is blind while a directory cannot be watched, says so at each try, and sees again when one succeeds', async () => {
    const watchers: FakeWatcher[] = [];
    const failures: string[] = [];
    const watch = createDirectoryWatch({
      changed: () => undefined,
      failed: (directory, reason) => failures.push(`${directory}: ${reason}`),
      openWatcher: () => {
        const watcher = new FakeWatcher();
        watchers.push(watcher);
        return watcher as unknown as FSWatcher;
      },
    });
    const dir = tmpdir();
    watch.sync(new Map([[dir, new Set(['*'])]]));
    expect(watch.blind).to.equal(false);
    for (const tries of [1, 2]) {
      watchers.at(-1)?.emit('error', Object.assign(new Error('no more'), { code: 'EMFILE' }));
      expect(watch.blind).to.equal(true);
      expect(failures).to.deep.equal(Array.from({ length: tries }, () => `${dir}: too many open files`));
      watch.retry();
      expect(watchers.map(({ closed }) => closed)).to.deep.equal([
        ...Array.from({ length: tries }, () => true),
        false,
      ]);
    }
    expect(watch.blind).to.equal(false);
    watch.retry();
    expect(watchers.length).to.equal(3);
    await watch.close();
    expect(watchers.every(({ closed }) => closed)).to.equal(true);
  });
});
