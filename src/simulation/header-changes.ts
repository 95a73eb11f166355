import type { HeaderList } from '../routing/header-list.ts';

/** One name whose values differ. */
export interface HeaderChange {
  /** Lower-case. */
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What became of the fields of a request, by name. */
export function headerChanges(before: HeaderList, after: HeaderList): readonly HeaderChange[] {
  const names = new Set([...namesOf(before), ...namesOf(after)]);
  return [...names]
    .map((name) => ({ name, before: before.getAll(name), after: after.getAll(name) }))
    .filter((change) => change.before.join('\n') !== change.after.join('\n'));
}

function namesOf({ raw }: HeaderList): readonly string[] {
  return raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
}
