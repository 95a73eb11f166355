import type { Problem } from '../../snapshot/messages.ts';
import type { Document, StoreFile, StoreInput } from './document.ts';

/** Why the accepted version of a resource is not what its file says now. */
export type FallbackReason =
  'DocumentRefused' | 'FileRefused' | 'SourceMissing' | 'DuplicateName' | 'Unidentified';

/** One resource: its accepted version, if it ever had one, and where it stands now. */
export interface Stored<D extends Document = Document> {
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The `--config` path and the file that hold it. */
  readonly root: string;
  readonly file: string;
  /** Where its present document is, good or bad. */
  readonly at: string;
  /** Absent: it was never accepted, and nothing of it is served. */
  readonly accepted: D | undefined;
  /** Present: `accepted` is older than what the file says. */
  readonly fallback?: FallbackReason;
  /** What is wrong with the present document. */
  readonly problems: readonly Problem[];
}

export interface Store<D extends Document = Document> {
  readonly resources: ReadonlyMap<string, Stored<D>>;
  /** Every problem of the set: files, documents, names. */
  readonly problems: readonly Problem[];
  /** Documents that were refused and whose kind or name could not be told. */
  readonly unidentified: number;
}

export const emptyStore: Store<never> = { resources: new Map(), problems: [], unidentified: 0 };

/** A document together with the file it is in. */
interface Mention<D extends Document> {
  readonly document: D;
  readonly file: StoreFile<D>;
}

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
  const problems: Problem[] = [];
  const held = groupByFile(previous);
  const missing = new Map(input.missing.map(({ root, reason }) => [root, reason]));
  for (const { root, reason } of input.missing) problems.push(sourceMissing(root, reason));

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
  return { resources, problems, unidentified };
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

/** Decides which of the documents of one name is the resource, and whether its new version is taken. */
function settle<D extends Document>(
  key: string,
  before: Stored<D> | undefined,
  found: readonly Mention<D>[],
  heldElsewhere: boolean,
  problems: Problem[],
): Stored<D> {
  const accepted = before?.accepted;
  // The usual case: nothing changed, and what compares by identity sees it.
  const [{ document: only, file }] = found as [Mention<D>];
  if (found.length === 1 && before?.accepted === only && before.file === file.path && isSettled(before))
    return before;
  if (before !== undefined && accepted !== undefined && heldElsewhere) {
    for (const { document } of found) {
      problems.push(...document.problems, duplicate(key, document, before.at));
    }
    return { ...before, fallback: 'FileRefused', problems: [] };
  }
  const owner = chooseOwner(before, found);
  const chosen = owner.mention.document;
  for (const { document } of found) {
    problems.push(...document.problems);
    if (document !== chosen) problems.push(duplicate(key, document, chosen.at));
  }
  const base = {
    key,
    kind: chosen.kind,
    namespace: chosen.namespace,
    name: chosen.name,
    root: owner.mention.file.root,
    file: owner.mention.file.path,
    at: chosen.at,
    problems: chosen.problems,
  };
  if (chosen.accepted && !owner.ambiguous) {
    // The same text keeps the same object: whoever compares by identity sees that nothing changed.
    const same = accepted !== undefined && accepted.hash === chosen.hash && accepted.at === chosen.at;
    return { ...base, accepted: same ? accepted : chosen };
  }
  if (accepted === undefined) return { ...base, accepted: undefined };
  return { ...base, accepted, fallback: owner.ambiguous ? 'DuplicateName' : 'DocumentRefused' };
}

/** Its document is the accepted one, without a problem. */
function isSettled({ fallback, problems }: Stored): boolean {
  return fallback === undefined && problems.length === 0;
}

/** `ambiguous`: several new documents claim the name of an accepted one, so that none of them is taken. */
function chooseOwner<D extends Document>(
  before: Stored<D> | undefined,
  found: readonly Mention<D>[],
): { readonly mention: Mention<D>; readonly ambiguous: boolean } {
  const [first] = found;
  if (first === undefined) throw new Error('a resource without a document');
  const good = found.find(({ document }) => document.accepted) ?? first;
  const accepted = before?.accepted;
  if (before === undefined || accepted === undefined) return { mention: good, ambiguous: false };
  const inFile = found.filter(({ file }) => file.path === before.file);
  const [only] = inFile;
  const unchanged =
    inFile.find(({ document }) => document.hash === accepted.hash && document.accepted) ??
    (only === undefined
      ? found.find(({ document }) => document.hash === accepted.hash && document.accepted)
      : undefined);
  if (unchanged !== undefined) return { mention: unchanged, ambiguous: false };
  if (only === undefined) return { mention: good, ambiguous: false };
  return { mention: only, ambiguous: inFile.length > 1 };
}

function duplicate(key: string, document: Document, kept: string): Problem {
  return {
    at: document.at,
    path: 'metadata.name',
    message: `${key} is defined at ${kept} already; that one stays`,
    hint: 'names are unique for each kind and namespace',
  };
}

function sourceMissing(root: string, reason: string): Problem {
  return { at: root, path: '', message: `SourceMissing: ${reason}; what it held stays` };
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
