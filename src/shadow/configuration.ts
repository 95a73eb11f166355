import type { KeySource } from '../middleware/contract.ts';
import { createSimulator } from '../simulation/simulator.ts';
import type { Simulator } from '../simulation/simulator.ts';
import type { Entry, ListenerSnapshot } from '../snapshot/model.ts';

/** One of the two configurations that requests are decided by. */
export interface Configuration {
  readonly generation: number;
  readonly simulator: Simulator;
  readonly listeners: readonly ListenerSnapshot[];
}

/** `previous`: what is common to both is not built again. */
export function createConfiguration(
  generation: number,
  entries: ReadonlyMap<string, Entry>,
  { previous, keys }: { readonly previous: Configuration | undefined; readonly keys: KeySource },
): Configuration {
  const listeners = [...entries.values()]
    .filter(({ key }) => key.startsWith('Listener/'))
    .map(({ json }) => JSON.parse(json) as ListenerSnapshot);
  return {
    generation,
    simulator: createSimulator(entries, previous?.simulator, { now: Date.now, keys }),
    listeners,
  };
}
