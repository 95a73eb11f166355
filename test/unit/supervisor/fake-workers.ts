import { setImmediate as turn } from 'node:timers/promises';
import type { MainToWorker, PrepareFailure, WorkerToMain } from '../../../src/snapshot/messages.ts';
import { Member } from '../../../src/supervisor/member.ts';

/** A data-plane worker as the publisher sees it, without a thread: it answers in a later turn, as a thread would. */
export class FakeWorker {
  readonly member: Member;
  /** What it was told, in order. */
  readonly told: MainToWorker[] = [];
  /** What it cannot prepare as long as it is to. */
  failures: readonly PrepareFailure[] = [];
  /** Dies when it is told this. */
  diesAt: MainToWorker['type'] | undefined;
  /** Says nothing to this. */
  silentAt: MainToWorker['type'] | undefined;
  alive = true;

  constructor(index: number) {
    this.member = new Member(index, {
      post: (message) => void this.#receive(message),
      terminate: () => this.die(),
    });
  }

  die(): void {
    this.alive = false;
    this.member.left();
  }

  types(): string[] {
    return this.told.map(({ type }) => type);
  }

  /** Keys that it was given, by generation served in the end. */
  entries(): Map<string, string> {
    const entries = new Map<string, string>();
    for (const message of this.told) {
      if (message.type !== 'Chunk') continue;
      for (const key of message.delta.removed) entries.delete(key);
      for (const entry of message.delta.set) entries.set(entry.key, entry.json);
    }
    return entries;
  }

  #dropped(key: string): boolean {
    return this.told.some((message) => message.type === 'Chunk' && message.delta.removed.includes(key));
  }

  async #receive(message: MainToWorker): Promise<void> {
    this.told.push(message);
    await turn();
    if (!this.alive || message.type === this.silentAt) return;
    if (message.type === this.diesAt) {
      this.die();
      return;
    }
    const answer = this.#answer(message);
    if (answer !== undefined) this.member.answered(answer);
  }

  #answer(message: MainToWorker): WorkerToMain | undefined {
    switch (message.type) {
      case 'Chunk':
        return { type: 'ChunkTaken', generation: message.delta.generation };
      case 'Prepare':
        return {
          type: 'Prepared',
          generation: message.generation,
          failures: this.failures.filter(({ key }) => !this.#dropped(key)),
        };
      case 'Commit':
        return { type: 'Committed', generation: message.generation };
      case 'Drain':
        return { type: 'Drained' };
      default:
        return undefined;
    }
  }
}
