import type { Clock } from './clock.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimeout: () => void;
}

/** Questions to a thread that have no answer yet, by their number. */
export class PendingAnswers {
  readonly #clock: Clock;
  /** As it is told: `the config thread`. */
  readonly #whom: string;
  readonly #pending = new Map<number, Pending>();
  #last = 0;

  constructor(clock: Clock, whom: string) {
    this.#clock = clock;
    this.#whom = whom;
  }

  /** Has `send` pose a question with this number; rejects if there is no answer within the time. */
  ask(send: (id: number) => void, timeoutMs: number): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      const cancelTimeout = this.#clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new Error(`${this.#whom} did not answer within ${timeoutMs} ms`));
      });
      this.#pending.set(id, { resolve, reject, cancelTimeout });
      send(id);
    });
  }

  /** What comes too late, or was never asked, is passed over. */
  answer({
    id,
    value,
    error,
  }: {
    readonly id: number;
    readonly value?: unknown;
    readonly error?: string;
  }): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.cancelTimeout();
    if (error === undefined) pending.resolve(value);
    else pending.reject(new Error(error));
  }

  /** Nobody will answer what was asked until now. */
  rejectAll(): void {
    for (const { reject, cancelTimeout } of this.#pending.values()) {
      cancelTimeout();
      reject(new Error(`${this.#whom} died`));
    }
    this.#pending.clear();
  }
}
