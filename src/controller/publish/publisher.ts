import type { ConfigToMain, MainToConfig, PrepareFailure, ReloadState } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { ChangedKeys } from '../../snapshot/changed-keys.ts';
import { changedKeys } from '../../snapshot/changed-keys.ts';
import { PackedEntries } from '../../snapshot/packed-entries.ts';
import { deltaChunks } from './delta.ts';

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
  readonly entries: PackedEntries;
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
  let served = survived?.entries ?? PackedEntries.none;
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
      const changes = changedKeys(served, entries);
      const { added, changed, removed } = changes;
      const next = packed(entries, served, changes);
      if (generation > 0 && added.length + changed.length + removed.length === 0) {
        served = next;
        return undefined;
      }
      candidate += 1;
      const mine = candidate;
      const base = generation;
      for (const delta of deltaChunks(changes, next, mine, base)) {
        const taken = answer();
        send({ type: 'Chunk', delta });
        await taken;
      }
      const published = answer();
      send({ type: 'Publish', generation: mine, base, parts: next.partsSince(served), sourceHash });
      const { failures, state } = await published;
      if (failures.length === 0) {
        served = next;
        generation = mine;
      }
      const counts = { added: added.length, changed: changed.length, removed: removed.length };
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

/** What is no translation of today (a pin) takes the parts of what is served where it says the same. */
function packed(
  entries: ReadonlyMap<string, Entry>,
  served: PackedEntries,
  { added, changed, removed }: ChangedKeys,
): PackedEntries {
  if (entries instanceof PackedEntries) return entries;
  const keys = [...added, ...changed, ...removed];
  return served.with(new Map(keys.map((key) => [key, entries.get(key)])));
}
