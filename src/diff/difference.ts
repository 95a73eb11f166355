import type { Simulator } from '../simulation/simulator.ts';
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

/** Nothing is served, sent or written: two sets of entries, each with its simulator, in; their difference out. */
export function compareSimulators(from: Simulator, to: Simulator, find: FindDefinition): Difference {
  const changes = entryChanges(from.entries, to.entries);
  const isRouted = changes.some(({ kind }) => kind === 'Route');
  return {
    changes,
    conflicts: isRouted ? newConflicts(from.pairs(), to.pairs()) : [],
    state: stateChanges(changes, from.entries, to.entries, find),
  };
}
