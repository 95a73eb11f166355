import { Buffer } from 'node:buffer';
import { hash as digest } from 'node:crypto';
import type { Problem } from '../../snapshot/messages.ts';
import type { CheckMiddleware } from './check-resource.ts';
import type { UndecodedFile } from './decode-file.ts';
import { decodeFile } from './decode-file.ts';
import { DocumentTree } from './document-tree.ts';
import type { PlacedValue } from './document-tree.ts';
import type { ParsedDocument, ParsedFile, SourceFile } from './parsed-file.ts';
import { placeAt } from './place-at.ts';
import type { KnownResource } from './known-resource.ts';
import { KnownText } from './known-text.ts';
import type { TextReader, TextReading } from './known-text.ts';
import { PlacedDocument, placeProblem } from './placed-document.ts';
import { PlainValue } from './plain-value.ts';
import { readPlainYaml } from './read-plain-yaml.ts';
import type { YamlErrors } from './read-yaml.ts';
import { readYaml } from './read-yaml.ts';
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

/** What became of a file the last time. */
interface KnownFile {
  readonly hash: string;
  readonly parsed: ParsedFile;
  readonly texts: readonly KnownText[];
}

const MiB = 2 ** 20;

/** Cheap to make: validators are compiled when their kind is first met. */
export function createParser(schemas: SchemaSet, options: ParserOptions): Parser {
  const { maxFileBytes = 64 * MiB, maxDocumentBytes = 8 * MiB } = options;
  const reader = new ResourceReader(schemas, options.checkMiddleware);
  /** By text: comparing it costs less than hashing it. */
  const texts = new Map<string, KnownText>();
  const files = new Map<string, KnownFile>();
  const met = new Set<string>();
  let generation = 0;
  const textReader: TextReader = { read, compose };
  // Whoever asks for one place of a document often asks for more of them.
  let located: { readonly text: string; readonly tree: DocumentTree | undefined } | undefined;

  function parseFile({ path, bytes, hash }: SourceFile): ParsedFile {
    const known = files.get(path);
    met.add(path);
    if (hash !== undefined && known?.hash === hash) {
      for (const text of known.texts) text.generation = generation;
      return known.parsed;
    }
    const decoded = decodeFile(bytes(), maxFileBytes);
    const read = 'message' in decoded ? undefined : parseDocuments(path, decoded.bytes);
    const parsed = 'message' in decoded ? refused(path, decoded) : (read as Read).parsed;
    if (hash === undefined) files.delete(path);
    else files.set(path, { hash, parsed, texts: read?.texts ?? [] });
    return parsed;
  }

  function parseDocuments(path: string, file: Buffer): Read {
    const documents: ParsedDocument[] = [];
    const problems: Problem[] = [];
    const used: KnownText[] = [];
    for (const { bytes, linesBefore } of splitDocuments(file)) {
      if (bytes.length > maxDocumentBytes) {
        const message = `a document of ${bytes.length} bytes; one may have at most ${maxDocumentBytes}`;
        problems.push({ at: `${path}:${linesBefore + 1}:1`, path: '', message });
        continue;
      }
      const text = textOf(bytes);
      used.push(text);
      for (const error of text.errors) problems.push(placeProblem(path, linesBefore, error));
      documents.push(...place(text, path, linesBefore));
    }
    return { parsed: { path, documents, problems, whole: problems.length === 0 }, texts: used };
  }

  function textOf(bytes: Buffer): KnownText {
    const latin1 = bytes.toString('latin1');
    let text = texts.get(latin1);
    if (text === undefined) {
      const reading = read(bytes.toString('utf8'), digest('sha256', bytes, 'base64url'));
      text = new KnownText(latin1, reading, textReader);
      texts.set(latin1, text);
    }
    text.generation = generation;
    return text;
  }

  function read(text: string, hash: string): TextReading {
    const tree = readValue(text);
    if ('errors' in tree) return { errors: tree.errors, resources: [] };
    return { errors: [], resources: reader.read(tree, hash) };
  }

  function place(text: KnownText, path: string, linesBefore: number): readonly ParsedDocument[] {
    const { resources, placed } = text;
    const isSame =
      placed.length === resources.length &&
      placed.every((document, i) => document.is(resources[i] as KnownResource, path, linesBefore));
    if (!isSame) text.placed = resources.map((known) => new PlacedDocument(known, path, linesBefore, text));
    return text.placed;
  }

  function compose(text: string): DocumentTree | undefined {
    if (located?.text !== text) {
      const tree = composeTree(text);
      located = { text, tree: 'errors' in tree ? undefined : tree };
    }
    return located.tree;
  }

  function sweep(): void {
    for (const [latin1, text] of texts) if (text.generation !== generation) texts.delete(latin1);
    for (const path of files.keys()) if (!met.has(path)) files.delete(path);
    met.clear();
    generation++;
    located = undefined;
  }

  return {
    parseFile,
    parseText: ({ path, linesBefore, text }) => place(textOf(Buffer.from(text)), path, linesBefore),
    sweep,
  };
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
  readonly texts: readonly KnownText[];
}

/** A file that is no text. */
function refused(path: string, { before, message, hint }: UndecodedFile): ParsedFile {
  const { line, column } = placeAt(before.replace(/\r\n?/g, '\n'), before.length);
  const problem = { at: before === '' ? path : `${path}:${line}:${column}`, path: '', message };
  const problems = [hint === undefined ? problem : { ...problem, hint }];
  return { path, documents: [], problems, whole: false };
}
