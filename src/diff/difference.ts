import { createSimulator } from '../simulation/simulator.ts';
import type { Simulator } from '../simulation/simulator.ts';
import type { Entry } from '../snapshot/model.ts';
import { entryChanges } from './entry-changes.ts';
import type { EntryChange } from './entry-changes.ts';
import { newConflicts } from './new-conflicts.ts';
import type { NewConflict } from './new-conflicts.ts';
import { stateChanges } from './state-changes.ts';
import type { FindDefinition, StateChange } from './state-changes.ts';

/** What it means to go from one set of entries to another; plain data. */
export interface Difference {
  readonly changes: readonly EntryChange[];
  readonly conflicts: readonly NewConflict[];
  readonly state: readonly StateChange[];
}

/** Nothing is served, sent or written: two sets of entries in, their difference out. */
function compareEntries(
  from: ReadonlyMap<string, Entry>,
  to: ReadonlyMap<string, Entry>,
  find: FindDefinition,
): Difference {
  const before = createSimulator(from);
  return compareSimulators(before, createSimulator(to, before), find);
}

/** The same where requests are decided too, so that nothing is compiled twice. */
export function compareSimulators(from: Simulator, to: Simulator, find: FindDefinition): Difference {
  const changes = entryChanges(from.entries, to.entries);
  const isRouted = changes.some(({ kind }) => kind === 'Route');
  return {
    changes,
    conflicts: isRouted ? newConflicts(from.pairs(), to.pairs()) : [],
    state: stateChanges(changes, from.entries, to.entries, find),
  };
}
