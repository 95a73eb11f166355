import type { EntryPart } from './entry-part.ts';
import type { Entry } from './model.ts';
import { PackedEntries } from './packed-entries.ts';

type Entries = ReadonlyMap<string, Entry>;
type Part = Entries | EntryPart;

export interface ChangedKeys {
  readonly added: readonly string[];
  /** Another hash. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What leads from some entries to others. What packed ones share as a whole is not walked over. */
export function changedKeys(from: Entries, to: Entries): ChangedKeys {
  const added: string[] = [];
  const changed: string[] = [];
  const removed: string[] = [];
  for (const [now, old] of differingParts(to, from)) {
    let kept = 0;
    for (const key of now.keys()) {
      const before = hashIn(old, key);
      if (before !== undefined) kept += 1;
      if (before === undefined) added.push(key);
      else if (before !== hashIn(now, key)) changed.push(key);
    }
    // Most often nothing went: then the 10,000 need not be asked for.
    if (kept === old.size) continue;
    for (const key of old.keys()) if (hashIn(now, key) === undefined) removed.push(key);
  }
  return { added, changed, removed };
}

function differingParts(one: Entries, other: Entries): Iterable<readonly [Part, Part]> {
  if (one === other) return [];
  return one instanceof PackedEntries && other instanceof PackedEntries ? one.apart(other) : [[one, other]];
}

function hashIn(part: Part, key: string): string | undefined {
  return 'hashOf' in part ? part.hashOf(key) : part.get(key)?.hash;
}
