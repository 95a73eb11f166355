import type { Clock } from '../clock.ts';

export interface Quiet {
  /** Something happened. */
  poke(): void;
  close(): void;
}

/** Calls `run` once nothing has happened for `quietMs`, at the latest `maxMs` after the first poke. */
export function createQuiet(options: {
  readonly quietMs: number;
  readonly maxMs: number;
  readonly clock: Clock;
  readonly run: () => void;
}): Quiet {
  const { quietMs, maxMs, clock, run } = options;
  let first: number | undefined;
  let cancel: (() => void) | undefined;
  return {
    poke() {
      const now = clock.now();
      first ??= now;
      cancel?.();
      cancel = clock.after(Math.max(0, Math.min(quietMs, first + maxMs - now)), () => {
        first = undefined;
        cancel = undefined;
        run();
      });
    },
    close() {
      cancel?.();
      cancel = undefined;
      first = undefined;
    },
  };
}
