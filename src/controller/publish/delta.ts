import type { ChangedKeys } from '../../snapshot/changed-keys.ts';
import type { Delta, Entry } from '../../snapshot/model.ts';

const maxEntries = 100;
const maxCharacters = 64 * 1024;

/** In parts that a worker takes in without a noticeable pause; at least one. What changed is looked up in `to`. */
export function* deltaChunks(
  { added, changed, removed }: ChangedKeys,
  to: ReadonlyMap<string, Entry>,
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
  for (const key of [...added, ...changed]) {
    const entry = to.get(key);
    if (entry === undefined) continue;
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
