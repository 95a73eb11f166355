import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { TimerEntry } from '../http1/timer-wheel.ts';
import type { TimerTarget, TimerWheel } from '../http1/timer-wheel.ts';
import { TunnelWay } from './tunnel-way.ts';

/** 1001, going away (RFC 6455 §7.4.1). */
const goingAway = Buffer.from([0x03, 0xe9]);
/** For the close answers of both sides; also for the rest of a frame where that may not take longer. */
const answerMs = 3_000;

export interface OpenTunnelParts {
  readonly client: Duplex;
  readonly upstream: Duplex;
  readonly wheel: TimerWheel;
  /** Silence of both sides after which it is closed; 0: never. */
  readonly idleMs: number;
  /** Both sides are to be destroyed now. */
  readonly ended: () => void;
}

/**
 * The two sockets of a WebSocket after its handshake. http-proxy pipes them into each other; the frames are counted as
 * they pass, so that the gateway can take its leave between two of them.
 */
export class OpenTunnel implements TimerTarget {
  private readonly parts: OpenTunnelParts;
  private readonly timer = new TimerEntry(this);
  private readonly gone = new Set<Duplex>();
  private ways: readonly [down: TunnelWay, up: TunnelWay] | undefined = undefined;
  private leaving = false;

  constructor(parts: OpenTunnelParts) {
    this.parts = parts;
    for (const side of [parts.client, parts.upstream]) {
      side.once('finish', () => this.sideWent(side));
      side.once('close', () => this.sideWent(side));
    }
  }

  /** The sockets have been piped: no byte has passed yet. */
  joined(): void {
    const { client, upstream, wheel, idleMs } = this.parts;
    this.ways = [new TunnelWay(upstream, client, wheel), new TunnelWay(client, upstream, wheel)];
    if (idleMs > 0) wheel.arm(this.timer, idleMs);
  }

  /**
   * Sends both sides a Close frame with 1001 at the next frame boundary of each direction, waits a little for their
   * answers, and ends them. `hurry`: a frame that is under way is not waited for any longer than an answer.
   */
  leave(hurry: boolean): void {
    if (this.leaving || this.ways === undefined) return;
    this.leaving = true;
    const { wheel } = this.parts;
    wheel.cancel(this.timer);
    if (hurry) wheel.arm(this.timer, answerMs);
    const [down, up] = this.ways;
    const changed = (): void => {
      if (down.closeSent && up.closeSent && !hurry && !this.timer.armed) wheel.arm(this.timer, answerMs);
      if (down.closeSent && up.sourceDone) down.end();
      if (up.closeSent && down.sourceDone) up.end();
    };
    down.leave(closeFrame(false), changed);
    up.leave(closeFrame(true), changed);
    changed();
  }

  /** It has been silent for long enough, or its leave has taken long enough. */
  expired(): void {
    if (this.leaving || this.ways === undefined) {
      this.parts.ended();
      return;
    }
    const { wheel, idleMs } = this.parts;
    const [down, up] = this.ways;
    const left = Math.max(down.movedAt, up.movedAt) + idleMs - wheel.now;
    if (left > 0) wheel.arm(this.timer, left);
    else this.leave(true);
  }

  destroy(): void {
    this.parts.wheel.cancel(this.timer);
    this.parts.client.destroy();
    this.parts.upstream.destroy();
  }

  /**
   * A side to which nothing more is sent, or that has gone (RFC 6455 §7.1.1 closes both ways at once): what it sent is
   * delivered, then neither is held open for the other.
   */
  private sideWent(side: Duplex): void {
    this.gone.add(side);
    if (!this.leaving || this.gone.size === 2) this.parts.ended();
  }
}

/** What clients send is masked (RFC 6455 §5.3), and to the upstream we are one. */
function closeFrame(masked: boolean): Buffer {
  if (!masked) return Buffer.concat([Buffer.from([0x88, goingAway.length]), goingAway]);
  const mask = randomBytes(4);
  const payload = goingAway.map((byte, i) => byte ^ (mask[i] as number));
  return Buffer.concat([Buffer.from([0x88, 0x80 | payload.length]), mask, payload]);
}
