import { differingParts } from '../../routing/differing-parts.ts';
import type { Delta, Entry } from '../../snapshot/model.ts';

const maxEntries = 100;
const maxCharacters = 64 * 1024;

export interface Difference {
  readonly set: readonly Entry[];
  readonly removed: readonly string[];
  readonly added: number;
  readonly changed: number;
}

/** What leads from the entries that are served to those that shall be. What both share as a whole is not walked over. */
export function difference(from: ReadonlyMap<string, Entry>, to: ReadonlyMap<string, Entry>): Difference {
  const set: Entry[] = [];
  const removed: string[] = [];
  let added = 0;
  for (const [old, now] of differingParts(from, to)) {
    let kept = 0;
    for (const entry of now.values()) {
      const before = old.get(entry.key);
      if (before === undefined) added += 1;
      else kept += 1;
      if (before?.hash !== entry.hash) set.push(entry);
    }
    // Most often nothing went: then the 10,000 need not be asked for.
    if (kept < old.size) for (const key of old.keys()) if (!now.has(key)) removed.push(key);
  }
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
