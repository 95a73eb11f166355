import type { Logger } from '../../telemetry/log.ts';

const pauseMs = 60_000;

/** Warns of connections that a listener refuses, at most once a minute: a flood of them must not become one of lines. */
export class RefusalLog {
  private readonly log: Logger;
  private quietUntil = -Infinity;
  /** Since the last line. */
  private untold = 0;

  constructor(log: Logger) {
    this.log = log;
  }

  /** `now` in monotonic milliseconds. */
  add(now: number, listener: string, limit: number): void {
    this.untold++;
    if (now < this.quietUntil) return;
    this.log.warn('connections are refused: limits.connections of this worker is reached', {
      listener,
      limit,
      refused: this.untold,
    });
    this.quietUntil = now + pauseMs;
    this.untold = 0;
  }
}
