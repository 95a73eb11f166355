/** One field that differs; absent `from`: it was added, absent `to`: it went. */
export interface FieldChange {
  /** `matches[0].path.value`; '' for the whole. */
  readonly path: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/**
 * What differs between two JSON values, field by field, in the order of the fields. Lists are aligned by their longest common
 * subsequence, so that an element put in front is one addition and not a change of all behind it; indices are those of the
 * new list, of removed elements those of the old one.
 */
export function fieldChanges(from: unknown, to: unknown, path = ''): readonly FieldChange[] {
  if (from === to) return [];
  if (!isRecord(from) || !isRecord(to)) {
    if (isSame(from, to)) return [];
    return Array.isArray(from) && Array.isArray(to) ? listChanges(from, to, path) : [change(path, from, to)];
  }
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return names.flatMap((name) => fieldChanges(valueOf(from, name), valueOf(to, name), join(path, name)));
}

/** Longer lists are compared place by place: aligning costs the product of their lengths. */
const maxAligned = 500;

function listChanges(from: readonly unknown[], to: readonly unknown[], path: string): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  for (const [start, end, newStart, newEnd] of gaps(from, to)) {
    const common = Math.min(end - start, newEnd - newStart);
    for (let i = 0; i < common; i += 1)
      changes.push(...fieldChanges(from[start + i], to[newStart + i], `${path}[${newStart + i}]`));
    for (let i = start + common; i < end; i += 1) changes.push(change(`${path}[${i}]`, from[i], undefined));
    for (let i = newStart + common; i < newEnd; i += 1)
      changes.push(change(`${path}[${i}]`, undefined, to[i]));
  }
  return changes;
}

/** What lies between the elements that both lists have in common: [from, to) in the old list, then in the new one. */
function gaps(
  from: readonly unknown[],
  to: readonly unknown[],
): readonly (readonly [number, number, number, number])[] {
  if (from.length > maxAligned || to.length > maxAligned) return [[0, from.length, 0, to.length]];
  const before = from.map((value) => JSON.stringify(value));
  const after = to.map((value) => JSON.stringify(value));
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const found: (readonly [number, number, number, number])[] = [];
  let [i, j, start, newStart] = [0, 0, 0, 0];
  const close = (): void => {
    if (i > start || j > newStart) found.push([start, i, newStart, j]);
  };
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      close();
      start = i += 1;
      newStart = j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  [i, j] = [before.length, after.length];
  close();
  return found;
}

function change(path: string, from: unknown, to: unknown): FieldChange {
  return { path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

function isSame(a: unknown, b: unknown): boolean {
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}

/** Names that are no identifiers stand in brackets, so that a path can be read back. */
function join(path: string, name: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === '' ? name : `${path}.${name}`;
}

function valueOf(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
