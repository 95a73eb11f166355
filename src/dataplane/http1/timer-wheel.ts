/** Told when its entry's time is over. */
export interface TimerTarget {
  expired(entry: TimerEntry): void;
}

/**
 * One deadline, embedded in what waits for it: arming and cancelling change links, nothing is allocated. `target` may
 * hold several entries and tells them apart by identity.
 */
export class TimerEntry {
  readonly target: TimerTarget;
  /** Owned by the wheel. */
  next: TimerEntry | undefined = undefined;
  previous: TimerEntry | undefined = undefined;
  slot = -1;
  tick = 0;

  constructor(target: TimerTarget) {
    this.target = target;
  }

  get armed(): boolean {
    return this.slot >= 0;
  }
}

const SLOTS = 512;
/** Behind the slots of the ring: what is due in this tick. */
const DUE = SLOTS;

/**
 * A coarse timer wheel: one interval for all timeouts of a thread, O(1) to arm and cancel. An entry expires at or up to
 * two ticks after its time, never before. It counts ticks that this thread really made, so that a stalled thread does not
 * take its own stall for its clients' silence. Nothing armed: no interval runs; it never keeps the process alive.
 */
export class TimerWheel {
  readonly tickMs: number;
  readonly #slots: (TimerEntry | undefined)[] = new Array<TimerEntry | undefined>(SLOTS + 1).fill(undefined);
  #tick = 0;
  #armed = 0;
  #interval: NodeJS.Timeout | undefined = undefined;

  constructor(tickMs = 50) {
    this.tickMs = tickMs;
  }

  /** Entries that wait. */
  get armed(): number {
    return this.#armed;
  }

  /** Milliseconds that this wheel has ticked: a coarse clock for whoever waits on it. Stands still while nothing is armed. */
  get now(): number {
    return this.#tick * this.tickMs;
  }

  /** `entry` expires once, in `ms` milliseconds; a time it waited for before is forgotten. */
  arm(entry: TimerEntry, ms: number): void {
    const tick = this.#tick + Math.ceil(ms / this.tickMs) + 1;
    if (entry.slot >= 0) {
      if (entry.tick === tick) return;
      this.#unlink(entry);
    } else {
      this.#armed++;
      this.#interval ??= setInterval(() => this.advance(), this.tickMs).unref();
    }
    entry.tick = tick;
    this.#link(entry, tick % SLOTS);
  }

  cancel(entry: TimerEntry): void {
    if (entry.slot < 0) return;
    this.#unlink(entry);
    this.#armed--;
  }

  /** One tick; called by the interval. */
  advance(): void {
    this.#tick++;
    // The slot is gone through once, since most in it may wait for a later round. A target may then arm or cancel any
    // entry, one that is due as well: each is taken from the head of the list at its turn.
    for (let entry = this.#slots[this.#tick % SLOTS]; entry !== undefined;) {
      const { next } = entry;
      if (entry.tick <= this.#tick) {
        this.#unlink(entry);
        this.#link(entry, DUE);
      }
      entry = next;
    }
    for (let due = this.#slots[DUE]; due !== undefined; due = this.#slots[DUE]) {
      this.cancel(due);
      due.target.expired(due);
    }
    if (this.#armed === 0) this.close();
  }

  /** Stops ticking; arming starts it again. */
  close(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
  }

  #link(entry: TimerEntry, slot: number): void {
    const head = this.#slots[slot];
    entry.slot = slot;
    entry.next = head;
    if (head !== undefined) head.previous = entry;
    this.#slots[slot] = entry;
  }

  #unlink(entry: TimerEntry): void {
    if (entry.previous === undefined) this.#slots[entry.slot] = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next !== undefined) entry.next.previous = entry.previous;
    entry.next = entry.previous = undefined;
    entry.slot = -1;
  }
}
