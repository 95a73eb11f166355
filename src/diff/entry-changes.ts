import type { Entry, EntryKind } from '../snapshot/model.ts';
import { fieldChanges } from './field-changes.ts';
import type { FieldChange } from './field-changes.ts';

/** One entry that is not what it was. */
export interface EntryChange {
  readonly key: string;
  readonly kind: EntryKind;
  /** The key without its kind; '' for the Edge. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Of a changed one. */
  readonly fields: readonly FieldChange[];
}

const kinds: readonly EntryKind[] = ['Edge', 'Listener', 'Route', 'Middleware', 'Upstream'];

/** What differs between two sets of entries: by kind, then by name. */
export function entryChanges(
  from: ReadonlyMap<string, Entry>,
  to: ReadonlyMap<string, Entry>,
): readonly EntryChange[] {
  const changes: EntryChange[] = [];
  for (const [key, entry] of to) {
    const before = from.get(key);
    if (before?.hash === entry.hash) continue;
    if (before === undefined) {
      changes.push({ ...named(key), change: 'added', fields: [] });
      continue;
    }
    const fields = fieldsOf(before, entry);
    if (fields.length > 0) changes.push({ ...named(key), change: 'changed', fields });
  }
  for (const key of from.keys())
    if (!to.has(key)) changes.push({ ...named(key), change: 'removed', fields: [] });
  const rank = ({ kind }: EntryChange): number => kinds.indexOf(kind);
  return changes.sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1));
}

/** Without what follows from other entries, where the change is told. */
function fieldsOf(before: Entry, after: Entry): readonly FieldChange[] {
  const changes = fieldChanges(JSON.parse(before.json), JSON.parse(after.json));
  return before.key.startsWith('Route/') ? changes.filter(({ path }) => !/^guards\b/.test(path)) : changes;
}

function named(key: string): Pick<EntryChange, 'key' | 'kind' | 'name'> {
  const slash = key.indexOf('/');
  const kind = (slash < 0 ? key : key.slice(0, slash)) as EntryKind;
  return { key, kind, name: slash < 0 ? '' : key.slice(slash + 1) };
}
