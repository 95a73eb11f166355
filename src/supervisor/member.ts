import type { MainToWorker, WorkerToMain } from '../snapshot/messages.ts';
import type { Thread } from './thread.ts';

/** What a worker says when it has done what it was told; of one kind and generation at a time. */
type Answer = Extract<WorkerToMain, { readonly generation: number }> | { readonly type: 'Drained' };

interface Waiting {
  readonly type: Answer['type'];
  readonly generation: number | undefined;
  readonly resolve: (answer: Answer | undefined) => void;
}

/** One life of one data-plane worker. */
export class Member {
  readonly index: number;
  /** It answers requests: a generation was committed on it. */
  serving = false;
  /** Why it was ended on purpose, for the log. */
  endedBecause: string | undefined;
  readonly #thread: Thread<MainToWorker>;
  readonly #waiting: Waiting[] = [];
  #gone = false;

  constructor(index: number, thread: Thread<MainToWorker>) {
    this.index = index;
    this.#thread = thread;
  }

  get gone(): boolean {
    return this.#gone;
  }

  send(message: MainToWorker): void {
    if (!this.#gone) this.#thread.post(message);
  }

  /** Sends and resolves with the answer; undefined: the worker died first. Never rejects. */
  ask<Type extends Answer['type']>(
    message: MainToWorker,
    type: Type,
  ): Promise<Extract<Answer, { readonly type: Type }> | undefined> {
    if (this.#gone) return Promise.resolve(undefined);
    const generation = 'generation' in message ? message.generation : undefined;
    return new Promise((resolve) => {
      this.#waiting.push({
        type,
        generation: message.type === 'Chunk' ? message.delta.generation : generation,
        resolve: (answer) => resolve(answer as Extract<Answer, { readonly type: Type }> | undefined),
      });
      this.#thread.post(message);
    });
  }

  /** Ends it; a supervisor that was not told to stop starts another in its place. */
  end(because: string): void {
    if (this.#gone) return;
    this.endedBecause ??= because;
    this.serving = false;
    this.#thread.terminate();
  }

  /** Takes an answer; false: nobody waits for it. */
  answered(message: WorkerToMain): boolean {
    const generation = 'generation' in message ? message.generation : undefined;
    const i = this.#waiting.findIndex(
      (waiting) => waiting.type === message.type && waiting.generation === generation,
    );
    if (i < 0) return false;
    const [waiting] = this.#waiting.splice(i, 1);
    waiting?.resolve(message as Answer);
    return true;
  }

  /** Its thread has ended: whoever waits for an answer learns that none will come. */
  left(): void {
    this.#gone = true;
    this.serving = false;
    for (const { resolve } of this.#waiting.splice(0)) resolve(undefined);
  }
}
