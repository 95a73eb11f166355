import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

const sliceMs = 8;

/**
 * Cuts long work into turns: main answers probes while it works. Await the result wherever the work may pause; it costs
 * nothing until a slice is over.
 */
export function createBreather(clock: Clock): () => Promise<void> | undefined {
  let since = clock.now();
  return () => {
    if (clock.now() - since < sliceMs) return undefined;
    return nextTurn().then(() => {
      since = clock.now();
    });
  };
}
