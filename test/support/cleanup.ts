import { after, afterEach } from 'mocha';

/** Whoever opens something registers its close at once; closes run in reverse order. */
export interface Cleanup {
  add(close: () => unknown): void;
}

/** Call inside `describe`: what a test opens is closed after that test. */
export function cleanupAfterEach(): Cleanup {
  const { cleanup, run } = createCleanup();
  afterEach(run);
  return cleanup;
}

/** Call inside `describe`: what `before` opens is closed after the last test. */
export function cleanupAfterAll(): Cleanup {
  const { cleanup, run } = createCleanup();
  after(run);
  return cleanup;
}

function createCleanup(): { cleanup: Cleanup; run: () => Promise<void> } {
  const closes: (() => unknown)[] = [];
  return {
    cleanup: { add: (close) => void closes.push(close) },
    async run() {
      const failures: unknown[] = [];
      for (let close = closes.pop(); close !== undefined; close = closes.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'something could not be closed');
    },
  };
}
