import type { ConfigToMain, MainToConfig, PrepareFailure, ReloadState } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import { deltaChunks, difference } from './delta.ts';

export interface Publication {
  readonly generation: number;
  /** Empty: every worker serves it. Otherwise nothing was committed. */
  readonly failures: readonly PrepareFailure[];
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** What it did to state that outlives it. */
  readonly state?: ReloadState;
}

export interface Publisher {
  /** Generation that every worker serves; 0: none yet. */
  readonly generation: number;
  /** What they serve. */
  readonly entries: ReadonlyMap<string, Entry>;
  /**
   * Sends what changed and waits for the answer; `undefined`: nothing changed. One at a time.
   * Generations only grow (G3): one that was refused is not used again.
   */
  publish(entries: ReadonlyMap<string, Entry>, sourceHash: string): Promise<Publication | undefined>;
  /** Hands in what main answers. */
  receive(message: Extract<MainToConfig, { type: 'ChunkTaken' | 'Published' }>): void;
}

type Answer = Pick<Extract<MainToConfig, { type: 'Published' }>, 'failures' | 'state'>;

/**
 * `after`: the last number that was used before this thread started; numbers go on from it. `survived`: what is served then,
 * if that is known; otherwise what is published next starts from nothing.
 */
export function createPublisher(
  send: (message: ConfigToMain) => void,
  after = 0,
  survived?: Pick<Publisher, 'generation' | 'entries'>,
): Publisher {
  let served: ReadonlyMap<string, Entry> = survived?.entries ?? new Map();
  let generation = survived?.generation ?? 0;
  let candidate = after;
  let waiting: ((answer: Answer) => void) | undefined;

  const answer = (): Promise<Answer> =>
    new Promise((resolve) => {
      waiting = resolve;
    });

  return {
    get generation() {
      return generation;
    },
    get entries() {
      return served;
    },
    async publish(entries, sourceHash) {
      const changes = difference(served, entries);
      if (generation > 0 && changes.set.length === 0 && changes.removed.length === 0) {
        served = entries;
        return undefined;
      }
      candidate += 1;
      const mine = candidate;
      for (const delta of deltaChunks(changes, mine, generation)) {
        const taken = answer();
        send({ type: 'Chunk', delta });
        await taken;
      }
      const published = answer();
      send({ type: 'Publish', generation: mine, sourceHash });
      const { failures, state } = await published;
      if (failures.length === 0) {
        served = entries;
        generation = mine;
      }
      const { added, changed, removed } = changes;
      const counts = { added, changed, removed: removed.length };
      return { generation: mine, failures, ...counts, ...(state !== undefined && { state }) };
    },
    receive(message) {
      // An answer about an older candidate comes too late to matter.
      if (message.generation !== candidate || waiting === undefined) return;
      const resolve = waiting;
      waiting = undefined;
      resolve(message.type === 'Published' ? message : { failures: [] });
    },
  };
}
