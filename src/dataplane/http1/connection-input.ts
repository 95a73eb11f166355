import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { InputBuffer } from './input-buffer.ts';
import { Spill } from './spill.ts';
import type { SpillBudget } from './spill.ts';

/** What a client connection has read, between its socket and those who take it. */
export class ConnectionInput {
  readonly buffer = new InputBuffer();
  /** Reading goes on although nobody takes it, as far as there is room: `lookForPeer` began it. */
  ahead = false;
  private paused = false;
  private spill: Spill | undefined = undefined;
  private readonly socket: Socket;
  private readonly spills: SpillBudget;

  constructor(socket: Socket, spills: SpillBudget) {
    this.socket = socket;
    this.spills = spills;
  }

  /** Bytes that nobody has taken. */
  get size(): number {
    return this.spill === undefined ? this.buffer.size : this.buffer.size + this.spill.size;
  }

  append(chunk: Buffer, isLent: boolean): void {
    if (this.spill === undefined || (!this.ahead && this.spill.size === 0)) this.buffer.append(chunk, isLent);
    else this.spill.push(isLent ? Buffer.from(chunk) : chunk);
  }

  /** Puts the next piece of what was read ahead into the buffer; false: there is none. */
  refill(): boolean {
    const piece = this.spill?.shift();
    if (piece === undefined) return false;
    this.buffer.append(piece, false);
    return true;
  }

  /** Reads on, or lets the other side wait. */
  flow(open: boolean): void {
    if (open) this.ahead = false;
    const pause = !open && !(this.ahead && this.spill?.hasRoom === true);
    if (pause === this.paused) return;
    this.paused = pause;
    if (pause) this.socket.pause();
    else this.socket.resume();
  }

  /**
   * Looks whether the other side of a connection that has to wait is still there: a reset shows when something is
   * written, if only nothing, and an end when all before it has been read.
   */
  lookForPeer(): void {
    this.socket.write('', 'latin1');
    this.spill ??= new Spill(this.spills);
    this.ahead = true;
    this.flow(false);
  }

  clear(): void {
    this.buffer.clear();
    this.spill?.clear();
  }
}
