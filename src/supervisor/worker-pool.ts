import type { MainToWorker, WorkerToMain } from '../snapshot/messages.ts';
import type { Logger } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import { Member } from './member.ts';
import type { Thread, ThreadEvents } from './thread.ts';

export interface WorkerPoolOptions {
  readonly size: number;
  /** One Int32 for each worker. */
  readonly heartbeat: SharedArrayBuffer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly startThread: (index: number, events: ThreadEvents<WorkerToMain>) => Thread<MainToWorker>;
  /** A worker was started: the first of its place, or one in the place of another. */
  readonly joined: (member: Member) => void;
  /** Everything but answers to `Member.ask`. */
  readonly message: (member: Member, message: WorkerToMain) => void;
  /** A worker has died; another will be started unless the pool is stopping. */
  readonly left: (member: Member) => void;
}

const heartbeatMs = 1_000;
/** Silent seconds until a worker counts as stuck; one that has not beaten yet may still be loading. */
const stuckAfter = 10;
const stuckLoadingAfter = 30;

interface Place {
  readonly backoff: Backoff;
  member: Member | undefined;
  startedAt: number;
  lastBeat: number;
  silent: number;
  cancelRestart: (() => void) | undefined;
}

/** The data-plane workers: started together, replaced when they die or hang. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #beats: Int32Array;
  readonly #places: Place[] = [];
  #stopping = false;
  #cancelWatch: (() => void) | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#beats = new Int32Array(options.heartbeat);
  }

  start(): void {
    for (let i = 0; i < this.#options.size; i++) {
      this.#places.push({
        backoff: new Backoff({ firstMs: 100, maxMs: 10_000, stableMs: 30_000 }),
        member: undefined,
        startedAt: 0,
        lastBeat: 0,
        silent: 0,
        cancelRestart: undefined,
      });
    }
    for (let i = 0; i < this.#options.size; i++) this.#spawn(i);
    this.#cancelWatch = this.#options.clock.every(heartbeatMs, () => this.#watch());
  }

  /** Those that are alive, serving or not. */
  get members(): readonly Member[] {
    return this.#places.flatMap(({ member }) => member ?? []);
  }

  get servingCount(): number {
    return this.members.filter(({ serving }) => serving).length;
  }

  broadcast(message: MainToWorker): void {
    for (const member of this.members) member.send(message);
  }

  /** Lets every worker finish what it does, at most `timeoutMs`; none is replaced from now on. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopRestarts();
    // A worker keeps the time itself; this one is for a worker that does not.
    const late = new Promise<void>((resolve) => this.#options.clock.after(timeoutMs + 1_000, resolve));
    const drained = this.members.map((member) => member.ask({ type: 'Drain', timeoutMs }, 'Drained'));
    await Promise.race([Promise.all(drained), late]);
  }

  /** Ends all workers at once. */
  stop(): void {
    this.#stopRestarts();
    for (const member of this.members) member.end('the program stops');
  }

  #stopRestarts(): void {
    this.#stopping = true;
    this.#cancelWatch?.();
    for (const place of this.#places) place.cancelRestart?.();
  }

  #spawn(index: number): void {
    const { clock } = this.#options;
    const place = this.#places[index] as Place;
    Atomics.store(this.#beats, index, 0);
    const thread = this.#options.startThread(index, {
      message: (message) => {
        if (!member.answered(message)) this.#options.message(member, message);
      },
      exit: (code, error) => this.#left(index, member, code, error),
    });
    const member = new Member(index, thread);
    Object.assign(place, { member, startedAt: clock.now(), lastBeat: 0, silent: 0 });
    this.#options.joined(member);
  }

  #left(index: number, member: Member, code: number, error: Error | undefined): void {
    const { clock, log } = this.#options;
    const place = this.#places[index] as Place;
    place.member = undefined;
    member.left();
    this.#options.left(member);
    if (this.#stopping) return;
    const delayMs = place.backoff.next(clock.now() - place.startedAt);
    log.error('worker died, starting another', {
      worker: index,
      reason: member.endedBecause ?? error?.stack ?? `exit code ${code}`,
      delayMs,
    });
    place.cancelRestart = clock.after(delayMs, () => this.#spawn(index));
  }

  /** Counts in own turns rather than by the clock, so that a main thread that was asleep accuses nobody. */
  #watch(): void {
    for (const [index, place] of this.#places.entries()) {
      if (place.member === undefined) continue;
      const beat = Atomics.load(this.#beats, index);
      place.silent = beat === place.lastBeat ? place.silent + 1 : 0;
      place.lastBeat = beat;
      if (place.silent >= (beat === 0 ? stuckLoadingAfter : stuckAfter)) {
        place.silent = 0;
        place.member.end(`stuck: no sign of life for ${stuckAfter} s`);
      }
    }
  }
}
