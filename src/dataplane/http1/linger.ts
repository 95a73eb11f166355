import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { TimerTarget, TimerWheel } from './timer-wheel.ts';
import { TimerEntry } from './timer-wheel.ts';

/** RFC 9112 §9.6: close in stages, bounded in time and bytes. */
export const LINGER_MS = 5000;
export const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * The end of a connection whose last answer is written: our side is ended, and what still comes is dropped, so that the
 * answer is not reset away before the client has it.
 */
export class Linger implements TimerTarget {
  private readonly socket: Socket;
  private readonly wheel: TimerWheel;
  private readonly timer = new TimerEntry(this);
  /** Bytes that may still be dropped. */
  private left = LINGER_BYTES;

  /** `flushMs`: how long the client may take for its answer; from then on it has LINGER_MS to hang up. */
  constructor(socket: Socket, wheel: TimerWheel, flushMs: number) {
    this.socket = socket;
    this.wheel = wheel;
    wheel.arm(this.timer, flushMs);
    socket.end(() => {
      if (this.timer.armed) wheel.arm(this.timer, LINGER_MS);
    });
  }

  drop(chunk: Buffer): void {
    this.left -= chunk.length;
    if (this.left < 0) this.socket.destroy();
  }

  expired(): void {
    this.socket.destroy();
  }

  /** The socket is closed. */
  over(): void {
    this.wheel.cancel(this.timer);
  }
}
