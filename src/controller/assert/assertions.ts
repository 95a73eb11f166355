import type { Entry } from '../../snapshot/model.ts';
import { createSimulator } from '../../simulation/simulator.ts';
import type { Simulator } from '../../simulation/simulator.ts';
import { changedResources } from '../store/changed-resources.ts';
import type { Store, Stored } from '../store/store.ts';
import type { Outcome, Translation } from '../translate/translation.ts';
import { runRouteTest, runRouteTests } from './route-tests.ts';
import type { KnownResults, RouteTestResult } from './route-tests.ts';

export interface Judgement {
  /** The candidate with what is to be said about its RouteTests. */
  readonly translation: Translation;
  /** Why the candidate must not be served. */
  readonly refusal?: string;
  readonly results: readonly RouteTestResult[];
}

/**
 * Runs RouteTests before the swap (DESIGN.md, step 6). A test that fails for the candidate and holds for what is served
 * refuses the candidate; one that fails there too is itself refused, so that a broken test freezes nothing. Where nothing is
 * served yet they are only reported.
 */
export class Assertions {
  /** Of the last candidate, which most often is what is served next. */
  #last: Simulator | undefined;
  #served: Simulator | undefined;
  readonly #known: KnownResults = new Map();
  #resources: Store['resources'] = new Map();
  #tests: readonly Stored[] = [];

  async judge(
    translation: Translation,
    served: Pick<Translation, 'entries'> | undefined,
    store: Store,
  ): Promise<Judgement> {
    const tests = this.#testsOf(store);
    if (tests.length === 0) {
      this.#last = this.#served = undefined;
      this.#known.clear();
      return { translation, results: [] };
    }
    this.#served = served && this.#simulatorOf(served.entries);
    const candidate = this.#simulatorOf(translation.entries);
    this.#last = candidate;
    const results = await runRouteTests(tests, candidate, this.#known);
    const outcomes = new Map(translation.outcomes);
    let refusal: string | undefined;
    for (const { key, failures } of results) {
      if (failures.length === 0) continue;
      const refuses = await this.#holdsNow(store.resources.get(key));
      const [first] = failures;
      if (refuses) refusal ??= `${first?.at ?? ''} ${first?.message ?? ''}`;
      outcomes.set(key, outcomeOf(failures, refuses));
    }
    return { translation: { ...translation, outcomes }, results, ...(refusal !== undefined && { refusal }) };
  }

  async #holdsNow(test: Stored | undefined): Promise<boolean> {
    if (test === undefined || this.#served === undefined) return false;
    return (await runRouteTest(test, this.#served)).failures.length === 0;
  }

  /** In the order of the store. */
  #testsOf({ resources }: Store): readonly Stored[] {
    const { changed, removed, inOrder } = changedResources(this.#resources, resources);
    if (!inOrder || [...changed, ...removed].some(({ kind }) => kind === 'RouteTest')) {
      this.#tests = [...resources.values()].filter(
        ({ kind, accepted }) => kind === 'RouteTest' && accepted !== undefined,
      );
    }
    this.#resources = resources;
    return this.#tests;
  }

  #simulatorOf(entries: ReadonlyMap<string, Entry>): Simulator {
    const known = [this.#last, this.#served].find((simulator) => simulator?.entries === entries);
    return known ?? createSimulator(entries, this.#served ?? this.#last);
  }
}

function outcomeOf(problems: RouteTestResult['failures'], refuses: boolean): Outcome {
  return refuses
    ? { serving: 'current', reason: 'RefusesGeneration', resolved: true, problems }
    : { serving: 'none', reason: 'TestFailed', resolved: true, problems };
}
