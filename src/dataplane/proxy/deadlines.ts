import type { RouteSnapshot } from '../../snapshot/model.ts';
import { TimerEntry } from '../http1/timer-wheel.ts';
import type { TimerTarget, TimerWheel } from '../http1/timer-wheel.ts';

/** `connect`: no connection yet · `attempt`: the request is sent, no response head yet · `idle`: no byte moves · `request`: the whole exchange. */
export type DeadlineKind = 'connect' | 'attempt' | 'idle' | 'request';

export interface DeadlineTarget {
  timedOut(which: DeadlineKind): void;
}

/**
 * The deadlines of one exchange on one wheel entry: it is armed for the nearest of them and looks again when it fires,
 * so that moving a later one (every body chunk moves `idle`) costs one assignment and no timer.
 */
export class Deadlines implements TimerTarget {
  readonly timeouts: RouteSnapshot['timeouts'];
  private readonly wheel: TimerWheel;
  private readonly target: DeadlineTarget;
  private readonly entry = new TimerEntry(this);
  private requestAt = Infinity;
  private phaseAt = Infinity;
  private phaseKind: 'connect' | 'attempt' = 'connect';
  private touchedAt = 0;
  private armedAt = Infinity;
  private running = false;

  constructor(wheel: TimerWheel, timeouts: RouteSnapshot['timeouts'], target: DeadlineTarget) {
    this.wheel = wheel;
    this.timeouts = timeouts;
    this.target = target;
  }

  start(): void {
    this.running = true;
    this.touchedAt = this.wheel.now;
    if (this.timeouts.requestMs > 0) this.requestAt = this.touchedAt + this.timeouts.requestMs;
    this.arm();
  }

  /** A phase begins; 0: it has no deadline of its own. */
  phase(kind: 'connect' | 'attempt', ms: number): void {
    if (!this.running) return;
    const now = this.wheel.now;
    this.touchedAt = now;
    this.phaseKind = kind;
    this.phaseAt = ms > 0 ? now + ms : Infinity;
    if (this.nearest < this.armedAt) this.arm();
  }

  /** A byte has moved. */
  touch(): void {
    this.touchedAt = this.wheel.now;
  }

  stop(): void {
    this.running = false;
    this.wheel.cancel(this.entry);
  }

  expired(): void {
    const now = this.wheel.now;
    this.armedAt = Infinity;
    if (now >= this.requestAt) this.target.timedOut('request');
    else if (now >= this.phaseAt) this.target.timedOut(this.phaseKind);
    else if (now >= this.idleAt) this.target.timedOut('idle');
    else this.arm();
  }

  /** While a phase has a deadline of its own, no body is expected to move. */
  private get idleAt(): number {
    return this.timeouts.idleMs > 0 && this.phaseAt === Infinity
      ? this.touchedAt + this.timeouts.idleMs
      : Infinity;
  }

  private get nearest(): number {
    return Math.min(this.requestAt, this.phaseAt, this.idleAt);
  }

  private arm(): void {
    const at = this.nearest;
    if (at === Infinity) return;
    this.armedAt = at;
    this.wheel.arm(this.entry, at - this.wheel.now);
  }
}
