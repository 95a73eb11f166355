import type { Duplex } from 'node:stream';
import type { TimerWheel } from '../http1/timer-wheel.ts';
import { FrameTracker } from './frame-tracker.ts';

/**
 * One direction of an open WebSocket. As long as it is open it only watches a pipe; when the gateway leaves, it takes
 * the place of the pipe: the frame that is under way is passed on to its end, a Close frame follows, and whatever comes
 * behind that is dropped.
 */
export class TunnelWay {
  /** A Close frame, ours or the source's own, has been written to the target. */
  closeSent = false;
  /** The source has said its last word: a Close frame, or it has gone. */
  sourceDone = false;
  /** When the last byte came, on the wheel's clock. */
  movedAt: number;
  private readonly source: Duplex;
  private readonly target: Duplex;
  private readonly frames = new FrameTracker();
  private readonly wheel: TimerWheel;
  private readonly watch = (chunk: Buffer): void => {
    this.movedAt = this.wheel.now;
    this.frames.pass(chunk);
  };
  private close: Buffer | undefined = undefined;
  private changed: () => void = () => undefined;

  /** To be made before the first byte of the tunnel flows. */
  constructor(source: Duplex, target: Duplex, wheel: TimerWheel) {
    this.source = source;
    this.target = target;
    this.wheel = wheel;
    this.movedAt = wheel.now;
    source.on('data', this.watch);
  }

  /** `changed` is told whenever `closeSent` or `sourceDone` have become true, but not by this call itself. */
  leave(close: Buffer, changed: () => void): void {
    const { source, target } = this;
    this.close = close;
    source.on('data', (chunk: Buffer) => this.take(chunk));
    source.off('data', this.watch);
    source.unpipe(target);
    target.on('drain', () => source.resume());
    for (const event of ['end', 'close']) source.once(event, () => this.sourceEnded());
    this.atBoundary();
    this.sourceDone = this.frames.closed || source.readableEnded || source.destroyed;
    this.changed = changed;
    if (!target.writableNeedDrain) source.resume();
  }

  /** Nothing more is sent. */
  end(): void {
    this.target.end();
  }

  private take(chunk: Buffer): void {
    let at = 0;
    if (!this.closeSent) {
      at = this.frames.toFrameEnd(chunk, 0);
      if (!this.write(at === chunk.length ? chunk : chunk.subarray(0, at))) this.source.pause();
      this.atBoundary();
    }
    while (at < chunk.length) at = this.frames.toFrameEnd(chunk, at);
    if (this.frames.closed) this.sourceEnded();
  }

  private atBoundary(): void {
    if (this.closeSent || !this.frames.atBoundary || this.close === undefined) return;
    this.closeSent = true;
    // A source that closed by itself has just said so.
    if (!this.frames.closed) this.write(this.close);
    this.changed();
  }

  private sourceEnded(): void {
    if (this.sourceDone) return;
    this.sourceDone = true;
    // In the middle of a frame: there is no boundary to wait for any more, and no frame to be completed.
    this.closeSent = true;
    this.changed();
  }

  private write(bytes: Buffer): boolean {
    return !this.target.writable || this.target.write(bytes);
  }
}
