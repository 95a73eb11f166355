import type { Buffer } from 'node:buffer';
import { hash as digest } from 'node:crypto';
import type { Problem } from '../../snapshot/messages.ts';
import type { CheckMiddleware } from './check-resource.ts';
import { decodeFile } from './decode-file.ts';
import { DocumentTree } from './document-tree.ts';
import { parsePath } from './field-path.ts';
import type { PlacedFinding } from './finding.ts';
import type { ParsedDocument, ParsedFile, SourceFile } from './parsed-file.ts';
import { placeAt } from './place-at.ts';
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
  /**
   * Ends a generation: forgets the documents that no `parseFile` has met since the last call. So hand it every file of a
   * generation, changed or not (5 MB that are known take some 30 ms), then sweep.
   */
  sweep(): void;
}

/** What is kept of a document's text. Positions are relative to it, so that it may move inside its file or to another. */
interface Entry {
  readonly text: string;
  /** Not empty: the text is not YAML. */
  readonly errors: readonly PlacedFinding[];
  readonly resources: readonly ReadResource[];
  generation: number;
}

const MiB = 2 ** 20;

/** Cheap to make: validators are compiled when their kind is first met. */
export function createParser(schemas: SchemaSet, options: ParserOptions): Parser {
  const { maxFileBytes = 64 * MiB, maxDocumentBytes = 8 * MiB } = options;
  const reader = new ResourceReader(schemas, options.checkMiddleware);
  const entries = new Map<string, Entry>();
  let generation = 0;
  // Whoever asks for one place of a document often asks for more of them.
  let located: { readonly entry: Entry; readonly tree: DocumentTree | undefined } | undefined;

  function parseFile({ path, bytes: file }: SourceFile): ParsedFile {
    const decoded = decodeFile(file, maxFileBytes);
    if ('message' in decoded) {
      const { before, message, hint } = decoded;
      const { line, column } = placeAt(before.replace(/\r\n?/g, '\n'), before.length);
      const problem = { at: before === '' ? path : `${path}:${line}:${column}`, path: '', message };
      return {
        path,
        documents: [],
        problems: [hint === undefined ? problem : { ...problem, hint }],
        whole: false,
      };
    }
    const documents: ParsedDocument[] = [];
    const problems: Problem[] = [];
    for (const { bytes, linesBefore } of splitDocuments(decoded.bytes)) {
      if (bytes.length > maxDocumentBytes) {
        const message = `a document of ${bytes.length} bytes; one may have at most ${maxDocumentBytes}`;
        problems.push({ at: `${path}:${linesBefore + 1}:1`, path: '', message });
        continue;
      }
      const entry = entryFor(bytes);
      problems.push(...entry.errors.map((error) => toProblem(path, linesBefore, error)));
      for (const read of entry.resources) documents.push(toDocument(path, linesBefore, entry, read));
    }
    return { path, documents, problems, whole: problems.length === 0 };
  }

  function entryFor(bytes: Buffer): Entry {
    const hash = digest('sha256', bytes, 'base64url');
    let entry = entries.get(hash);
    if (entry === undefined) {
      entry = { ...parseText(bytes.toString('utf8'), hash), generation };
      entries.set(hash, entry);
    }
    entry.generation = generation;
    return entry;
  }

  function parseText(text: string, hash: string): Omit<Entry, 'generation'> {
    const reading = readYaml(text);
    if ('errors' in reading) return { text, errors: reading.errors, resources: [] };
    const tree = new DocumentTree(text, reading.document);
    return { text, errors: [], resources: reader.read(tree, hash) };
  }

  function toDocument(path: string, linesBefore: number, entry: Entry, read: ReadResource): ParsedDocument {
    const { key, kind, namespace, name, hash, resource, findings, place, prefix } = read;
    const at = ({ line, column }: { line: number; column: number }): string =>
      `${path}:${linesBefore + line}:${column}`;
    return {
      key,
      kind,
      namespace,
      name,
      hash,
      at: at(place),
      resource,
      problems: findings.map((finding) => toProblem(path, linesBefore, finding)),
      locate: (field) => at(treeOf(entry)?.locate([...prefix, ...parsePath(field)], 'value') ?? place),
    };
  }

  function treeOf(entry: Entry): DocumentTree | undefined {
    if (located?.entry !== entry) {
      const reading = readYaml(entry.text);
      located = {
        entry,
        tree: 'errors' in reading ? undefined : new DocumentTree(entry.text, reading.document),
      };
    }
    return located.tree;
  }

  function sweep(): void {
    for (const [hash, entry] of entries) if (entry.generation !== generation) entries.delete(hash);
    generation++;
    located = undefined;
  }

  return { parseFile, sweep };
}

function toProblem(
  file: string,
  linesBefore: number,
  { line, column, path, message, hint }: PlacedFinding,
): Problem {
  const problem = { at: `${file}:${linesBefore + line}:${column}`, path, message };
  return hint === undefined ? problem : { ...problem, hint };
}
