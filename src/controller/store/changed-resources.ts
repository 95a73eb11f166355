import type { Stored } from './stored.ts';

/** What differs between two sets of resources; one that is the same object in both does not. */
export interface ChangedResources {
  /** New or not what they were. */
  readonly changed: readonly Stored[];
  /** Nobody has their names any more. */
  readonly removed: readonly Stored[];
  /** Those that are in both stand in the same order. */
  readonly inOrder: boolean;
}

/** Goes through both side by side: where nothing was put in or taken out, no name is looked up. */
export function changedResources(
  before: ReadonlyMap<string, Stored>,
  after: ReadonlyMap<string, Stored>,
): ChangedResources {
  const changed: Stored[] = [];
  const old = before.values();
  let inOrder = true;
  let kept = 0;
  for (const stored of after.values()) {
    const beside: Stored | undefined = inOrder ? old.next().value : undefined;
    if (beside === stored) {
      kept += 1;
      continue;
    }
    inOrder &&= beside?.key === stored.key;
    const known = inOrder ? beside : before.get(stored.key);
    if (known !== undefined) kept += 1;
    if (known !== stored) changed.push(stored);
  }
  const removed = kept === before.size ? [] : [...before.values()].filter(({ key }) => !after.has(key));
  return { changed, removed, inOrder: inOrder && removed.length === 0 };
}
