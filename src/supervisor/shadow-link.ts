import type { KeyMaterial } from '../snapshot/messages.ts';
import { changedKeys } from '../snapshot/changed-keys.ts';
import type { KeyReference } from '../snapshot/model.ts';
import { PackedEntries } from '../snapshot/packed-entries.ts';
import type { MainToShadow, ShadowToMain } from '../snapshot/shadow-messages.ts';
import type { Logger } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import { createBreather } from './breather.ts';
import type { Clock } from './clock.ts';
import { PendingAnswers } from './pending-answers.ts';
import type { Thread, ThreadEvents } from './thread.ts';

export interface ShadowLinkOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly startThread: (events: ThreadEvents<ShadowToMain>) => Thread<MainToShadow>;
  readonly message: (message: Extract<ShadowToMain, { readonly type: 'Counted' | 'Log' }>) => void;
  /** What is to be had of them without asking anybody. Never rejects. */
  readonly peekKeys: (references: readonly KeyReference[]) => Promise<readonly KeyMaterial[]>;
}

/** What is served from a commit on. */
export interface ServedEntries {
  readonly generation: number;
  readonly entries: PackedEntries;
}

const queryTimeoutMs = 10_000;
const entriesPerMessage = 200;

/** The shadow thread: told what is served, and started again when it dies. Nothing waits for it. */
export class ShadowLink {
  readonly #options: ShadowLinkOptions;
  readonly #backoff = new Backoff({ firstMs: 100, maxMs: 10_000, stableMs: 30_000 });
  readonly #answers: PendingAnswers;
  #thread: Thread<MainToShadow> | undefined;
  #startedAt = 0;
  #stopping = false;
  #cancelRestart: (() => void) | undefined;
  #served: ServedEntries = { generation: 0, entries: PackedEntries.none };
  #telling: Promise<void> = Promise.resolve();

  constructor(options: ShadowLinkOptions) {
    this.#options = options;
    this.#answers = new PendingAnswers(options.clock, 'the shadow thread');
  }

  /** Another generation is served. The first one starts the thread: before there is nothing to compare with. */
  update({ generation, entries }: ServedEntries): void {
    const before = this.#served;
    this.#served = { generation, entries };
    if (before.generation === 0) this.#start();
    else this.#tell(before);
  }

  /** Key sets that changed by themselves. */
  updateKeys(materials: readonly KeyMaterial[]): void {
    this.#thread?.post({ type: 'Keys', materials });
  }

  /** Has the thread look at the candidate now. */
  reconcile(): void {
    this.#thread?.post({ type: 'Reconcile' });
  }

  /** Resolves with the thread's report. */
  query(): Promise<unknown> {
    const thread = this.#thread;
    if (thread === undefined) return Promise.reject(new Error('the shadow thread is not running'));
    return this.#answers.ask((id) => thread.post({ type: 'Query', id }), queryTimeoutMs);
  }

  stop(): void {
    this.#stopping = true;
    this.#cancelRestart?.();
    this.#thread?.terminate();
  }

  #start(): void {
    this.#startedAt = this.#options.clock.now();
    const thread = this.#options.startThread({
      message: (message) => {
        switch (message.type) {
          case 'Answer':
            return this.#answers.answer(message);
          case 'KeysWanted':
            return void this.#options
              .peekKeys(message.references)
              .then((materials) => thread.post({ type: 'Keys', materials, answers: message.id }));
          case 'Counted':
          case 'Log':
            return this.#options.message(message);
        }
      },
      exit: (code, error) => this.#left(code, error),
    });
    this.#thread = thread;
    this.#tell({ generation: 0, entries: PackedEntries.none });
  }

  /** What changed since; in parts, so that main answers probes meanwhile; one generation after the other. */
  #tell({ generation: base, entries: before }: ServedEntries): void {
    const thread = this.#thread;
    // Dead: its successor is told all.
    if (thread === undefined) return;
    const { generation, entries } = this.#served;
    const { added, changed, removed } = changedKeys(before, entries);
    const keys = [...added, ...changed];
    this.#telling = this.#telling.then(async () => {
      const breathe = createBreather(this.#options.clock);
      thread.post({ type: 'Chunk', delta: { generation, base, set: [], removed } });
      for (let i = 0; i < keys.length; i += entriesPerMessage) {
        const set = keys.slice(i, i + entriesPerMessage).flatMap((key) => entries.get(key) ?? []);
        thread.post({ type: 'Chunk', delta: { generation, base, set, removed: [] } });
        await breathe();
      }
      thread.post({ type: 'Served', generation });
    });
  }

  #left(code: number, error: Error | undefined): void {
    this.#thread = undefined;
    this.#answers.rejectAll();
    if (this.#stopping) return;
    const { clock, log } = this.#options;
    const delayMs = this.#backoff.next(clock.now() - this.#startedAt);
    log.error('shadow thread died, starting another; traffic goes on', {
      reason: error?.stack ?? `exit code ${code}`,
      delayMs,
    });
    this.#cancelRestart = clock.after(delayMs, () => this.#start());
  }
}
