import type { Delta, Entry } from '../../snapshot/model.ts';

const maxEntries = 100;
const maxCharacters = 64 * 1024;

export interface Difference {
  readonly set: readonly Entry[];
  readonly removed: readonly string[];
  readonly added: number;
  readonly changed: number;
}

/** What leads from the entries that are served to those that shall be. */
export function difference(from: ReadonlyMap<string, Entry>, to: ReadonlyMap<string, Entry>): Difference {
  const set: Entry[] = [];
  let added = 0;
  for (const entry of to.values()) {
    const before = from.get(entry.key);
    if (before === undefined) added += 1;
    else if (before === entry || before.hash === entry.hash) continue;
    set.push(entry);
  }
  // Most often nothing went: then the 10,000 need not be asked for.
  const kept = to.size - added;
  const removed = kept === from.size ? [] : [...from.keys()].filter((key) => !to.has(key));
  return { set, removed, added, changed: set.length - added };
}

/** In parts that a worker takes in without a noticeable pause; at least one. */
export function* deltaChunks(
  { set, removed }: Pick<Difference, 'set' | 'removed'>,
  generation: number,
  base: number,
): Generator<Delta> {
  let part: Entry[] = [];
  let characters = 0;
  let gone: string[] = [];
  let sent = false;
  for (const key of removed) {
    gone.push(key);
    if (gone.length < maxEntries) continue;
    yield { generation, base, set: [], removed: gone };
    gone = [];
    sent = true;
  }
  for (const entry of set) {
    const full = part.length + gone.length >= maxEntries || characters + entry.json.length > maxCharacters;
    if (full && part.length + gone.length > 0) {
      yield { generation, base, set: part, removed: gone };
      part = [];
      gone = [];
      characters = 0;
      sent = true;
    }
    part.push(entry);
    characters += entry.json.length;
  }
  if (!sent || part.length + gone.length > 0) yield { generation, base, set: part, removed: gone };
}
