import type { Stored } from '../store/store.ts';
import type { Outcome } from '../translate/translation.ts';
import { stateOf } from './conditions.ts';

/** Since when an older version of each resource is served; over restarts too, where the state is kept. */
export class FallbackTimes {
  readonly #since: Map<string, number>;

  /** By resource key, Unix milliseconds. */
  constructor(since: ReadonlyMap<string, number> = new Map()) {
    this.#since = new Map(since);
  }

  get since(): ReadonlyMap<string, number> {
    return this.#since;
  }

  update(resources: Iterable<Stored>, outcomes: ReadonlyMap<string, Outcome>, now: number): void {
    const old = new Set<string>();
    for (const stored of resources) {
      const { key } = stored;
      if (stateOf(stored, outcomes.get(key)) !== 'fallback') continue;
      old.add(key);
      if (!this.#since.has(key)) this.#since.set(key, now);
    }
    for (const key of this.#since.keys()) if (!old.has(key)) this.#since.delete(key);
  }
}
