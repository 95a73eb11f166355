import { Buffer } from 'node:buffer';
import { hash as digest } from 'node:crypto';
import type { Problem } from '../../snapshot/messages.ts';
import type { CheckMiddleware } from './check-resource.ts';
import type { UndecodedFile } from './decode-file.ts';
import { decodeFile } from './decode-file.ts';
import { DocumentTree } from './document-tree.ts';
import type { PlacedValue } from './document-tree.ts';
import type { PlacedFinding } from './finding.ts';
import type { ParsedDocument, ParsedFile, SourceFile } from './parsed-file.ts';
import { placeAt } from './place-at.ts';
import type { KnownResource, KnownText } from './placed-document.ts';
import { PlacedDocument, placeProblem } from './placed-document.ts';
import { PlainValue } from './plain-value.ts';
import { readPlainYaml } from './read-plain-yaml.ts';
import type { YamlErrors } from './read-yaml.ts';
import { readYaml } from './read-yaml.ts';
import type { ReadResource } from './resource-reader.ts';
import { ResourceReader } from './resource-reader.ts';
import type { SchemaSet } from './schema.ts';
import { splitDocuments } from './split-documents.ts';

export interface ParserOptions {
  /** What the schema of a middleware cannot see. */
  readonly checkMiddleware: CheckMiddleware;
  /** Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** Of one YAML document, also a List; default 8 MiB. */
  readonly maxDocumentBytes?: number;
}

export interface Parser {
  /** Never throws for what a file holds. Documents whose text was met before are not parsed again. */
  parseFile(file: SourceFile): ParsedFile;
  /** The resources of one document's text that begins after `linesBefore` lines of its file. */
  parseText(document: {
    readonly path: string;
    readonly linesBefore: number;
    readonly text: string;
  }): readonly ParsedDocument[];
  /**
   * Ends a generation: forgets the files and documents that no `parseFile` has met since the last call. So hand it every
   * file of a generation, changed or not, then sweep.
   */
  sweep(): void;
}

/** What is kept of a document's text. Positions are relative to it, so that it may move inside its file or to another. */
interface Entry {
  /** Its bytes as latin1: the only copy. */
  readonly text: string;
  /** Not empty: the text is not YAML. */
  readonly errors: readonly PlacedFinding[];
  readonly resources: readonly KnownResource[];
  readonly origin: KnownText;
  /** As last handed out: what stays in its place stays the same object. */
  placed: readonly PlacedDocument[];
  generation: number;
}

/** What became of a file the last time. */
interface KnownFile {
  readonly hash: string;
  readonly parsed: ParsedFile;
  readonly entries: readonly Entry[];
}

const MiB = 2 ** 20;

/** Cheap to make: validators are compiled when their kind is first met. */
export function createParser(schemas: SchemaSet, options: ParserOptions): Parser {
  const { maxFileBytes = 64 * MiB, maxDocumentBytes = 8 * MiB } = options;
  const reader = new ResourceReader(schemas, options.checkMiddleware);
  /** By text: comparing it costs less than hashing it. */
  const entries = new Map<string, Entry>();
  const files = new Map<string, KnownFile>();
  const met = new Set<string>();
  let generation = 0;
  // Whoever asks for one place of a document often asks for more of them.
  let located: { readonly text: string; readonly tree: DocumentTree | undefined } | undefined;

  function parseFile({ path, bytes, hash }: SourceFile): ParsedFile {
    const known = files.get(path);
    met.add(path);
    if (hash !== undefined && known?.hash === hash) {
      for (const entry of known.entries) entry.generation = generation;
      return known.parsed;
    }
    const decoded = decodeFile(bytes(), maxFileBytes);
    const read = 'message' in decoded ? undefined : parseDocuments(path, decoded.bytes);
    const parsed = 'message' in decoded ? refused(path, decoded) : (read as Read).parsed;
    if (hash === undefined) files.delete(path);
    else files.set(path, { hash, parsed, entries: read?.entries ?? [] });
    return parsed;
  }

  function parseDocuments(path: string, file: Buffer): Read {
    const documents: ParsedDocument[] = [];
    const problems: Problem[] = [];
    const used: Entry[] = [];
    for (const { bytes, linesBefore } of splitDocuments(file)) {
      if (bytes.length > maxDocumentBytes) {
        const message = `a document of ${bytes.length} bytes; one may have at most ${maxDocumentBytes}`;
        problems.push({ at: `${path}:${linesBefore + 1}:1`, path: '', message });
        continue;
      }
      const entry = entryFor(bytes);
      used.push(entry);
      for (const error of entry.errors) problems.push(placeProblem(path, linesBefore, error));
      documents.push(...place(entry, path, linesBefore));
    }
    return { parsed: { path, documents, problems, whole: problems.length === 0 }, entries: used };
  }

  function entryFor(bytes: Buffer): Entry {
    const text = bytes.toString('latin1');
    let entry = entries.get(text);
    if (entry === undefined) {
      const read = readText(bytes.toString('utf8'), () => digest('sha256', bytes, 'base64url'));
      entry = { text, ...read, origin: originOf(text), placed: [], generation };
      entries.set(text, entry);
    }
    entry.generation = generation;
    return entry;
  }

  function readText(text: string, hash: () => string): Pick<Entry, 'errors' | 'resources'> {
    const tree = readValue(text);
    if ('errors' in tree) return { errors: tree.errors, resources: [] };
    return { errors: [], resources: reader.read(tree, hash()).map(keep) };
  }

  function place(entry: Entry, path: string, linesBefore: number): readonly ParsedDocument[] {
    const { resources, placed } = entry;
    const isSame =
      placed.length === resources.length &&
      placed.every((document, i) => document.is(resources[i] as KnownResource, path, linesBefore));
    if (!isSame)
      entry.placed = resources.map((known) => new PlacedDocument(known, path, linesBefore, entry.origin));
    return entry.placed;
  }

  function originOf(latin1: string): KnownText {
    const text = (): string => Buffer.from(latin1, 'latin1').toString('utf8');
    return {
      text,
      tree() {
        if (located?.text !== latin1) {
          const tree = composeTree(text());
          located = { text: latin1, tree: 'errors' in tree ? undefined : tree };
        }
        return located.tree;
      },
    };
  }

  function sweep(): void {
    for (const [text, entry] of entries) if (entry.generation !== generation) entries.delete(text);
    for (const path of files.keys()) if (!met.has(path)) files.delete(path);
    met.clear();
    generation++;
    located = undefined;
  }

  return {
    parseFile,
    parseText: ({ path, linesBefore, text }) => place(entryFor(Buffer.from(text)), path, linesBefore),
    sweep,
  };
}

/** Written out: what a rest and a spread make has a hidden class for each object, 4 MiB for 10,000 resources. */
function keep(read: ReadResource): KnownResource {
  const { prefix, key, kind, namespace, name, hash, place, findings, resource } = read;
  const json = resource === undefined ? undefined : JSON.stringify(resource);
  return { prefix, key, kind, namespace, name, hash, place, findings, json };
}

function readValue(text: string): PlacedValue | YamlErrors {
  const plain = readPlainYaml(text);
  if (plain === undefined) return composeTree(text);
  return new PlainValue(plain, () => {
    const tree = composeTree(text);
    return 'errors' in tree ? undefined : tree;
  });
}

function composeTree(text: string): DocumentTree | YamlErrors {
  const reading = readYaml(text);
  return 'errors' in reading ? reading : new DocumentTree(text, reading.document);
}

interface Read {
  readonly parsed: ParsedFile;
  readonly entries: readonly Entry[];
}

/** A file that is no text. */
function refused(path: string, { before, message, hint }: UndecodedFile): ParsedFile {
  const { line, column } = placeAt(before.replace(/\r\n?/g, '\n'), before.length);
  const problem = { at: before === '' ? path : `${path}:${line}:${column}`, path: '', message };
  const problems = [hint === undefined ? problem : { ...problem, hint }];
  return { path, documents: [], problems, whole: false };
}
