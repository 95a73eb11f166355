import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface LoopDelayOptions {
  /** Told once a second: the longest delay of the last 15 seconds, so that no scrape misses one. */
  readonly report: (seconds: number) => void;
}

const resolutionMs = 10;
const windowsKept = 15;

/** Watches the event loop of the calling thread. Its timers keep no process alive. */
export function startLoopDelay({ report }: LoopDelayOptions): { close(): void } {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const windows: number[] = [];
  const timer = setInterval(() => {
    // The histogram holds the whole interval between two of its timers, so an idle loop shows its resolution.
    const seconds = histogram.count > 0 ? Math.max(0, histogram.max / 1e9 - resolutionMs / 1e3) : 0;
    histogram.reset();
    windows.push(seconds);
    if (windows.length > windowsKept) windows.shift();
    report(Math.max(...windows));
  }, 1_000);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
