import type { Document, StoreFile, StoreInput } from './document.ts';
import { documentsOf } from './document.ts';
import { settle } from './settle.ts';
import type { Store, Stored } from './stored.ts';

/**
 * The next store by what changed alone: the usual reload edits a few documents of a sound set, and the 10,000 others need not
 * be asked for their names. Undefined: anything is out of the ordinary, so that the rules must see all of it.
 */
export function patchStore<D extends Document>(
  { sound, resources: before }: Store<D>,
  { files, missing }: StoreInput<D>,
): Store<D> | undefined {
  if (sound === undefined || missing.length > 0 || files.length !== sound.length) return undefined;
  const resources = new Map(before);
  for (const [index, file] of files.entries()) {
    if (!replaceDocuments(resources, sound[index] as StoreFile<D>, file)) return undefined;
  }
  return { resources, problems: [], unidentified: 0, sound: files };
}

/** False: other resources than before, or something is wrong with one of them. */
function replaceDocuments<D extends Document>(
  resources: Map<string, Stored<D>>,
  old: StoreFile<D>,
  file: StoreFile<D>,
): boolean {
  const { content } = file;
  if (old.path !== file.path || old.root !== file.root || content.state !== 'read') return false;
  const before = documentsOf(old);
  if (content.documents === before) return true;
  if (!content.whole || content.problems.length > 0 || content.documents.length !== before.length)
    return false;
  for (const [index, document] of content.documents.entries()) {
    const replaced = before[index];
    if (document === replaced) continue;
    const { key, accepted, problems } = document;
    if (key === undefined || key !== replaced?.key || !accepted || problems.length > 0) return false;
    resources.set(key, settle(key, resources.get(key), [{ document, file }], false, []));
  }
  return true;
}
