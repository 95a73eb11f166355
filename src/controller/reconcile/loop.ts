import type { Logger } from '../../telemetry/log.ts';
import type { Clock } from '../clock.ts';
import type { KeyVersions } from '../source/key-versions.ts';
import { createQuiet } from '../source/quiet.ts';
import type { Source } from '../source/source.ts';
import { createDirectoryWatch } from '../source/watch.ts';
import type { Reconciler } from './reconciler.ts';

export interface LoopOptions {
  readonly reconciler: Pick<Reconciler, 'run' | 'retryFailed' | 'worthRetrying'>;
  readonly source: Source;
  readonly keys: KeyVersions;
  readonly clock: Clock;
  readonly log: Logger;
  readonly quietMs: number;
  readonly maxQuietMs: number;
  readonly pollMs: number;
}

export interface Loop {
  /** Reconcile now, whether or not anything seems to have changed. */
  now(): void;
  close(): Promise<void>;
}

const maxRetryMs = 5 * 60_000;
/** Between two looks where there are no events. */
const blindPollMs = 1000;

/**
 * Runs the reconciler: at once, after file events have gone quiet, when the poll sees what an event has missed, and when
 * asked to. One run at a time; whatever happens meanwhile leads to one more.
 */
export function startLoop(options: LoopOptions): Loop {
  const { reconciler, source, keys, clock, log, quietMs, maxQuietMs, pollMs } = options;
  let running = false;
  let wanted: 'no' | 'ifChanged' | 'yes' = 'no';
  let closed = false;
  let incomplete = false;
  let retryMs = pollMs;
  let retryAt = 0;
  let cancelPoll: (() => void) | undefined;
  /** Said once. */
  const unwatched = new Set<string>();

  const quiet = createQuiet({ quietMs, maxMs: maxQuietMs, clock, run: () => request('ifChanged') });
  const watch = createDirectoryWatch({
    changed: () => {
      if (!closed) quiet.poke();
    },
    failed: (directory, reason) => {
      if (closed) return;
      const fields = { directory, reason, everyMs: blindPollMs };
      if (!unwatched.has(directory)) log.warn('directory cannot be watched: looked at instead', fields);
      unwatched.add(directory);
      pollLater();
    },
  });

  function request(how: 'ifChanged' | 'yes'): void {
    if (wanted !== 'yes') wanted = how;
    if (running || closed) return;
    running = true;
    void drain();
  }

  async function drain(): Promise<void> {
    while (wanted !== 'no' && !closed) {
      const how = wanted;
      wanted = 'no';
      try {
        if (how === 'ifChanged' && !incomplete && !source.changed() && !keys.changed()) continue;
        const { complete, watch: wantedWatches } = await reconciler.run();
        incomplete = !complete;
        watch.sync(mergeWatches(wantedWatches));
        // What was written between the reading and the watch has no event; what is still written needs another look.
        if (incomplete || source.changed()) quiet.poke();
      } catch (error) {
        // What was read is remembered, what was to come of it did not: the next look has to read again.
        incomplete = true;
        log.error('reconcile failed', {
          reason: error instanceof Error ? (error.stack ?? '') : String(error),
        });
      }
    }
    running = false;
  }

  function poll(): void {
    if (closed) return;
    // The clock may have been set back.
    retryAt = Math.min(retryAt, clock.now() + retryMs);
    if (reconciler.worthRetrying && clock.now() >= retryAt) {
      retryMs = Math.min(maxRetryMs, retryMs * 2);
      retryAt = clock.now() + retryMs;
      reconciler.retryFailed();
      request('yes');
    } else {
      if (!reconciler.worthRetrying) retryMs = pollMs;
      request('ifChanged');
    }
    if (watch.blind) watch.retry();
    pollLater();
  }

  function pollLater(): void {
    cancelPoll?.();
    cancelPoll = clock.after(watch.blind ? Math.min(pollMs, blindPollMs) : pollMs, poll);
  }

  request('yes');
  pollLater();
  return {
    now: () => {
      reconciler.retryFailed();
      request('yes');
    },
    async close() {
      closed = true;
      quiet.close();
      cancelPoll?.();
      await watch.close();
    },
  };
}

function mergeWatches(
  watches: readonly ReadonlyMap<string, ReadonlySet<string>>[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const merged = new Map<string, Set<string>>();
  for (const [directory, names] of watches.flatMap((watch) => [...watch])) {
    merged.set(directory, new Set([...(merged.get(directory) ?? []), ...names]));
  }
  return merged;
}
