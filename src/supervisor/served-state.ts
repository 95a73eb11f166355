import type { Delta, Entry } from '../snapshot/model.ts';

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
  readonly #entries = new Map<string, Entry>();
  /** Those of `#entries` that describe listeners: few among many. */
  readonly #listeners = new Map<string, Entry>();
  readonly #set = new Map<string, Entry>();
  readonly #removed = new Set<string>();
  /** Keys named by a candidate that starts from nothing: all others will go. */
  #named: Set<string> | undefined;
  #generation = 0;

  /** 0: nothing was committed yet. */
  get generation(): number {
    return this.#generation;
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  /** Committed listeners by key. */
  get listeners(): ReadonlyMap<string, Entry> {
    return this.#listeners;
  }

  /** Entries that the candidate adds or replaces. */
  get staged(): ReadonlyMap<string, Entry> {
    return this.#set;
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
      this.#set.set(entry.key, entry);
    }
    for (const key of delta.removed) this.#stageRemoval(key);
    return { generation: delta.generation, base, set, removed: delta.removed };
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
      if (this.#entries.delete(key)) removed.push(key);
    }
    for (const [key, entry] of this.#set) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      this.#entries.set(key, entry);
      if (key.startsWith('Upstream/')) upstreams.push(entry);
      else if (key.startsWith('Listener/')) this.#listeners.set(key, entry);
    }
    this.#generation = generation;
    this.abort();
    return { changed, upstreams, removed };
  }

  abort(): void {
    this.#set.clear();
    this.#removed.clear();
    this.#named = undefined;
  }

  #isNews(entry: Entry): boolean {
    // A sender that starts from nothing repeats what is served already.
    if (this.#named === undefined || this.#set.has(entry.key)) return true;
    return this.#entries.get(entry.key)?.hash !== entry.hash;
  }

  #stageRemoval(key: string): void {
    this.#set.delete(key);
    this.#removed.add(key);
  }
}
