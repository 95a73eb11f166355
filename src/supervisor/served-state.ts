import type { Delta, Entry } from '../snapshot/model.ts';
import type { PartMemory } from '../snapshot/packed-entries.ts';
import { PackedEntries } from '../snapshot/packed-entries.ts';

export interface StateChange {
  /** Number of entries added or replaced. */
  readonly changed: number;
  /** The upstreams among them. */
  readonly upstreams: readonly Entry[];
  readonly removed: readonly string[];
}

/**
 * The committed entries, for workers that start later, and the changes of one candidate beside them until it is
 * committed or dropped. Deltas come in relative to what their sender knows and leave relative to what is served.
 */
export class ServedState {
  #entries = PackedEntries.none;
  /** Those of `#entries` that describe listeners: few among many. */
  readonly #listeners = new Map<string, Entry>();
  /** Keys that the candidate adds or replaces. Their entries go on to the workers; only `#proposed` keeps them. */
  readonly #set = new Set<string>();
  /** Those among them that are asked for here, listeners and upstreams. */
  readonly #asked = new Map<string, Entry>();
  readonly #removed = new Set<string>();
  /** All that is to be served with the candidate. */
  #proposed: PackedEntries | undefined;
  /** Keys named by a candidate that starts from nothing: all others will go. */
  #named: Set<string> | undefined;
  #generation = 0;

  /** 0: nothing was committed yet. */
  get generation(): number {
    return this.#generation;
  }

  get entries(): PackedEntries {
    return this.#entries;
  }

  /** Committed listeners by key. */
  get listeners(): ReadonlyMap<string, Entry> {
    return this.#listeners;
  }

  /** Listeners that the candidate adds or replaces. */
  get stagedListeners(): readonly Entry[] {
    return [...this.#asked.values()].filter(isListener);
  }

  /** All that the candidate adds or replaces, once it is proposed. */
  *staged(): Generator<Entry> {
    for (const key of this.#set) {
      const entry = this.#proposed?.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  get stagedRemovals(): ReadonlySet<string> {
    return this.#removed;
  }

  /**
   * Takes one part of a candidate and returns it relative to what is served.
   * Throws if it is older than what is served (G3), or relative to another generation.
   */
  stage(delta: Delta): Delta {
    const base = this.#generation;
    if (delta.generation <= base) {
      throw new Error(`generation ${delta.generation} is not newer than ${base}, which is served`);
    }
    if (delta.base !== base && delta.base !== 0) {
      throw new Error(`generation ${delta.generation} builds on ${delta.base}, but ${base} is served`);
    }
    if (delta.base !== base) this.#named ??= new Set();
    const set = delta.set.filter((entry) => this.#isNews(entry));
    for (const entry of delta.set) this.#named?.add(entry.key);
    for (const entry of set) {
      this.#removed.delete(entry.key);
      this.#set.add(entry.key);
      if (isListener(entry) || isUpstream(entry)) this.#asked.set(entry.key, entry);
    }
    for (const key of delta.removed) this.#stageRemoval(key);
    return { generation: delta.generation, base, set, removed: delta.removed };
  }

  /** All parts of the candidate were staged: they come to these entries. */
  propose(base: number, parts: readonly PartMemory[]): void {
    this.#proposed = (base === 0 ? PackedEntries.none : this.#entries).taking(parts);
  }

  /** Keys that go because a candidate that starts from nothing did not name them; stages their removal. */
  stageLeftovers(): readonly string[] {
    const named = this.#named;
    if (named === undefined) return [];
    const left = [...this.#entries.keys()].filter((key) => !named.has(key));
    for (const key of left) this.#stageRemoval(key);
    return left;
  }

  /** Returns what changed. `breathe` lets main answer probes meanwhile; nothing may be staged until it is done. */
  async commit(generation: number, breathe: () => Promise<void> | undefined): Promise<StateChange> {
    const removed: string[] = [];
    const upstreams: Entry[] = [];
    const changed = this.#set.size;
    for (const key of this.#removed) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      this.#listeners.delete(key);
      if (this.#entries.has(key)) removed.push(key);
    }
    for (const [key, entry] of this.#asked) {
      if (isUpstream(entry)) upstreams.push(entry);
      else this.#listeners.set(key, entry);
    }
    this.#entries = this.#proposed ?? this.#entries;
    this.#generation = generation;
    this.abort();
    return { changed, upstreams, removed };
  }

  abort(): void {
    this.#set.clear();
    this.#asked.clear();
    this.#removed.clear();
    this.#proposed = undefined;
    this.#named = undefined;
  }

  #isNews({ key, hash }: Entry): boolean {
    // A sender that starts from nothing repeats what is served already.
    return this.#named === undefined || this.#set.has(key) || this.#entries.hashOf(key) !== hash;
  }

  #stageRemoval(key: string): void {
    this.#set.delete(key);
    this.#asked.delete(key);
    this.#removed.add(key);
  }
}

function isListener({ key }: Entry): boolean {
  return key.startsWith('Listener/');
}

function isUpstream({ key }: Entry): boolean {
  return key.startsWith('Upstream/');
}
