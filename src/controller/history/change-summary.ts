import { entryChanges } from '../../diff/entry-changes.ts';
import type { FieldChange } from '../../diff/field-changes.ts';
import type { Entry } from '../../snapshot/model.ts';
import { redactChange } from './redact-change.ts';

/** One entry that a generation changed. */
export interface ChangeSummary {
  readonly key: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** The first fields that changed, with their old and new values; none of what was added or removed as a whole. */
  readonly fields: readonly FieldSummary[];
  /** All that changed. */
  readonly fieldCount: number;
}

export interface FieldSummary extends FieldChange {
  /** `from` and `to` are the beginning of their JSON: they are long. */
  readonly cut?: true;
}

type Entries = ReadonlyMap<string, Entry>;

const maxChanges = 20;
/** Of one change, and of all changes of a generation: 20 generations are less than 2 MiB. */
const maxFields = 20;
const maxFieldsOfAll = 100;
const maxValueCharacters = 200;

/** The first changes among `keys`; only what is shown is compared field by field. Secrets are redacted. */
export function summarise(before: Entries, after: Entries, keys: Iterable<string>): readonly ChangeSummary[] {
  const shown = [...keys].sort().slice(0, maxChanges);
  let room = maxFieldsOfAll;
  return entryChanges(part(before, shown), part(after, shown)).map(({ key, change, fields }) => {
    const listed = fields.slice(0, Math.min(maxFields, room)).map(fieldSummary);
    room -= listed.length;
    return { key, change, fields: listed, fieldCount: fields.length };
  });
}

function part(of: Entries, keys: readonly string[]): Entries {
  const found = new Map<string, Entry>();
  for (const key of keys) {
    const entry = of.get(key);
    if (entry !== undefined) found.set(key, entry);
  }
  return found;
}

function fieldSummary(change: FieldChange): FieldSummary {
  const shown = redactChange(change);
  const texts = [shown.from, shown.to].map((value) =>
    value === undefined ? undefined : JSON.stringify(value),
  );
  if (texts.every((text) => (text?.length ?? 0) <= maxValueCharacters)) return shown;
  const [first, second] = texts.map((text) =>
    text === undefined || text.length <= maxValueCharacters ? text : `${text.slice(0, maxValueCharacters)}…`,
  );
  return {
    path: shown.path,
    ...(first !== undefined && { from: first }),
    ...(second !== undefined && { to: second }),
    cut: true,
  };
}
