import type { KeySource } from '../middleware/contract.ts';
import type { Delta, Entry } from '../snapshot/model.ts';
import { createConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';

/** A request is compared a moment after it was decided: only after many reloads in a row is its generation gone. */
const maxKept = 4;

/** What is served, as main tells it, and what was served until a moment ago. */
export class ServedGenerations {
  readonly #keys: KeySource;
  #kept: readonly Configuration[] = [];
  #coming: { readonly generation: number; readonly entries: Map<string, Entry> } | undefined;

  constructor(keys: KeySource) {
    this.#keys = keys;
  }

  get latest(): Configuration | undefined {
    return this.#kept.at(-1);
  }

  find(generation: number): Configuration | undefined {
    return this.#kept.findLast((kept) => kept.generation === generation);
  }

  stage({ generation, base, set, removed }: Delta): void {
    if (this.#coming?.generation !== generation) {
      const from = base === 0 ? undefined : this.find(base);
      if (base !== 0 && from === undefined) throw new Error(`generation ${base} is not known`);
      this.#coming = { generation, entries: new Map(from?.simulator.entries) };
    }
    for (const entry of set) this.#coming.entries.set(entry.key, entry);
    for (const key of removed) this.#coming.entries.delete(key);
  }

  /** Everything of `generation` was staged. Returns the routes (`namespace/name`) that it no longer has. */
  commit(generation: number): readonly string[] {
    const before = this.latest;
    const entries =
      this.#coming?.generation === generation ? this.#coming.entries : before?.simulator.entries;
    this.#coming = undefined;
    const next = createConfiguration(generation, entries ?? new Map(), {
      previous: before,
      keys: this.#keys,
    });
    this.#kept = [...this.#kept, next].slice(-maxKept);
    return [...(before?.simulator.entries.keys() ?? [])]
      .filter((key) => key.startsWith('Route/') && !next.simulator.entries.has(key))
      .map((key) => key.slice('Route/'.length));
  }
}
