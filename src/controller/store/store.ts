import type { Problem } from '../../snapshot/messages.ts';
import { documentsOf } from './document.ts';
import type { Document, StoreFile, StoreInput } from './document.ts';
import { patchStore } from './patch-store.ts';
import { settle } from './settle.ts';
import type { Mention } from './settle.ts';
import type { FallbackReason, Store, Stored } from './stored.ts';

export { emptyStore } from './stored.ts';
export type { Store, Stored } from './stored.ts';

/** What a file may say about the resources that it held before. */
type Voice =
  /** It says which resources there are. */
  | 'heard'
  /** It holds nothing valid, or something that cannot be identified: what is not in it may be what is broken. */
  | 'unsure'
  /** Refused whole: all that it held stays. */
  | 'refused'
  /** Not finished yet. */
  | 'silent';

/**
 * The previous store and what is on the disk now → the next store. Pure. The rules (DESIGN.md, step 4):
 * a refused document keeps its last accepted version; a file that is refused whole keeps what it held; resources go only
 * with their directory entry, or when a file that still holds a valid resource no longer holds them; a `--config` path
 * that vanished deletes nothing; of two documents of one name the accepted one stays, else the first path.
 */
export function nextStore<D extends Document>(previous: Store<D>, input: StoreInput<D>): Store<D> {
  return patchStore(previous, input) ?? wholeStore(previous, input);
}

/** All documents of all files, whatever was known of them. */
export function wholeStore<D extends Document>(previous: Store<D>, input: StoreInput<D>): Store<D> {
  const problems: Problem[] = [];
  const held = groupByFile(previous);
  const missing = new Map(input.missing.map(({ root, reason }) => [root, reason]));
  for (const { root, reason } of input.missing) problems.push(sourceMissing(root, reason, previous));

  const voices = new Map<string, Voice>();
  const mentions = new Map<string, Mention<D>[]>();
  let unidentified = 0;
  for (const file of input.files) {
    const voice = voiceOf(file, held.get(file.path) ?? [], problems);
    voices.set(file.path, voice);
    if (file.content.state !== 'read' || voice === 'refused') continue;
    for (const document of file.content.documents) {
      const { key } = document;
      if (key === undefined) {
        unidentified += 1;
        problems.push(...document.problems);
        continue;
      }
      const list = mentions.get(key);
      if (list === undefined) mentions.set(key, [{ document, file }]);
      else list.push({ document, file });
    }
  }

  const resources = new Map<string, Stored<D>>();
  for (const [key, found] of mentions) {
    const before = previous.resources.get(key);
    resources.set(key, settle(key, before, found, isHeld(before, voices, missing), problems));
  }
  for (const [key, before] of previous.resources) {
    if (resources.has(key)) continue;
    if (voices.get(before.file) === 'silent') {
      resources.set(key, before);
      continue;
    }
    const reason = reasonToKeep(before, voices, missing);
    if (reason === undefined) continue;
    if (before.accepted === undefined) {
      // Nothing is served of it: its own problem stays only as long as its file cannot say anything newer.
      if (reason !== 'Unidentified') resources.set(key, before);
      continue;
    }
    if (reason === 'Unidentified') problems.push(unsureProblem(before));
    resources.set(key, { ...before, fallback: reason, problems: [] });
  }
  const isSound = problems.length === 0 && unidentified === 0 && resources.size === mentions.size;
  const count = input.files.reduce((sum, file) => sum + documentsOf(file).length, 0);
  return {
    resources,
    problems,
    unidentified,
    ...(isSound && count === resources.size && { sound: input.files }),
  };
}

function groupByFile<D extends Document>(store: Store<D>): ReadonlyMap<string, readonly Stored<D>[]> {
  const files = new Map<string, Stored<D>[]>();
  for (const stored of store.resources.values()) {
    const list = files.get(stored.file);
    if (list === undefined) files.set(stored.file, [stored]);
    else list.push(stored);
  }
  return files;
}

function voiceOf<D extends Document>(
  file: StoreFile<D>,
  held: readonly Stored<D>[],
  problems: Problem[],
): Voice {
  const { content } = file;
  if (content.state === 'restless') return 'silent';
  problems.push(...content.problems);
  if (content.state === 'unreadable' || !content.whole) {
    if (content.problems.length === 0) problems.push(problem(file.path, 'cannot be read'));
    return 'refused';
  }
  if (content.documents.length === 0) {
    const count = held.filter((stored) => stored.accepted !== undefined).length;
    if (count === 0) return 'heard';
    const message = `holds no resource any more, but held ${count}; they stay`;
    problems.push({ ...problem(file.path, message), hint: 'delete the file to delete its resources' });
    return 'refused';
  }
  if (!content.documents.some((document) => document.accepted)) return 'unsure';
  return content.documents.some((document) => document.key === undefined) ? 'unsure' : 'heard';
}

/** Does the file that holds `before` still speak for it, whatever it says at the moment? */
function isHeld(
  before: Stored | undefined,
  voices: ReadonlyMap<string, Voice>,
  missing: ReadonlyMap<string, string>,
): boolean {
  if (before === undefined) return false;
  const voice = voices.get(before.file);
  return voice === undefined ? missing.has(before.root) : voice === 'refused' || voice === 'silent';
}

function reasonToKeep(
  before: Stored,
  voices: ReadonlyMap<string, Voice>,
  missing: ReadonlyMap<string, string>,
): FallbackReason | undefined {
  const voice = voices.get(before.file);
  if (voice === undefined) return missing.has(before.root) ? 'SourceMissing' : undefined;
  if (voice === 'refused') return 'FileRefused';
  return voice === 'unsure' ? 'Unidentified' : undefined;
}

function sourceMissing(root: string, reason: string, { resources }: Store): Problem {
  const held = [...resources.values()].some((stored) => stored.root === root);
  return problem(root, `SourceMissing: ${reason}${held ? '; what it held stays' : ''}`);
}

function unsureProblem(stored: Stored): Problem {
  return {
    at: stored.file,
    path: '',
    message: `${stored.key} is not in the file any more, but a refused document in it may be what it became; it stays`,
  };
}

function problem(at: string, message: string): Problem {
  return { at, path: '', message };
}
