import { changedResources } from '../store/changed-resources.ts';
import type { Store, Stored } from '../store/store.ts';
import type { Outcome } from '../translate/translation.ts';
import { stateOf } from './conditions.ts';
import type { ResourceState } from './conditions.ts';

export interface ResourceCount {
  readonly kind: string;
  readonly state: ResourceState;
  readonly count: number;
}

type Outcomes = ReadonlyMap<string, Outcome>;

/**
 * How many resources of each kind are in which state, and since when an older version of each is served; the latter over
 * restarts too, where it is kept. Looks only at what changed: of 10,000 most often one.
 */
export class ResourceStates {
  readonly #since: Map<string, number>;
  readonly #counts = new Map<
    string,
    { readonly kind: string; readonly state: ResourceState; count: number }
  >();
  #resources: Store['resources'] = new Map();
  #outcomes: Outcomes = new Map();
  #unidentified = 0;

  /** By resource key, Unix milliseconds. */
  constructor(since: ReadonlyMap<string, number> = new Map()) {
    this.#since = new Map(since);
  }

  /** Of an older version that is served, by resource key, Unix milliseconds. */
  get fallbackSince(): ReadonlyMap<string, number> {
    return this.#since;
  }

  /** Documents by kind and state, as in `config_resources{kind,state}`. */
  get counts(): readonly ResourceCount[] {
    const counts = [...this.#counts.values()].filter(({ count }) => count > 0);
    if (this.#unidentified === 0) return counts;
    return [...counts, { kind: 'Unknown', state: 'refused', count: this.#unidentified }];
  }

  update({ resources, unidentified }: Store, outcomes: Outcomes, now: number): void {
    const [before, said] = [this.#resources, this.#outcomes];
    const { changed, removed } = changedResources(before, resources);
    const keys = new Set([...changed, ...removed].map(({ key }) => key));
    for (const key of [...said.keys(), ...outcomes.keys()]) keys.add(key);
    for (const key of keys) {
      this.#count(before.get(key), said.get(key), -1);
      this.#count(resources.get(key), outcomes.get(key), 1);
    }
    for (const key of [...this.#since.keys(), ...keys]) {
      const stored = resources.get(key);
      const isOld = stored !== undefined && stateOf(stored, outcomes.get(key)) === 'fallback';
      if (!isOld) this.#since.delete(key);
      else if (!this.#since.has(key)) this.#since.set(key, now);
    }
    this.#resources = resources;
    this.#outcomes = outcomes;
    this.#unidentified = unidentified;
  }

  #count(stored: Stored | undefined, outcome: Outcome | undefined, by: 1 | -1): void {
    if (stored === undefined) return;
    const { kind } = stored;
    const state = stateOf(stored, outcome);
    const known = this.#counts.get(`${kind} ${state}`);
    if (known === undefined) this.#counts.set(`${kind} ${state}`, { kind, state, count: by });
    else known.count += by;
  }
}
