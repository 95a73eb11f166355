import type { Resource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import type { DocumentTree } from './document-tree.ts';
import { parsePath } from './field-path.ts';
import type { PlacedFinding } from './finding.ts';
import type { ParsedDocument, TextOrigin } from './parsed-file.ts';
import type { ReadResource } from './resource-reader.ts';

/** What is known of one resource of a text, whatever file the text is in. */
export interface KnownResource extends Omit<ReadResource, 'resource'> {
  /** The resource as JSON, a third of the size of the object; absent if it was refused. */
  readonly json: string | undefined;
}

/** Reads the text again each time. */
export interface KnownText extends TextOrigin {
  tree(): DocumentTree | undefined;
}

const noProblems: readonly Problem[] = [];

/** A resource at its place in a file. There may be 100,000: what can be found out again is not kept. */
export class PlacedDocument implements ParsedDocument {
  readonly problems: readonly Problem[];
  readonly #known: KnownResource;
  readonly #file: string;
  readonly linesBefore: number;
  readonly origin: KnownText;

  constructor(known: KnownResource, file: string, linesBefore: number, origin: KnownText) {
    this.#known = known;
    this.#file = file;
    this.linesBefore = linesBefore;
    this.origin = origin;
    const { findings } = known;
    this.problems =
      findings.length === 0
        ? noProblems
        : findings.map((finding) => placeProblem(file, linesBefore, finding));
  }

  get key(): string | undefined {
    return this.#known.key;
  }

  get kind(): ParsedDocument['kind'] {
    return this.#known.kind;
  }

  get namespace(): string {
    return this.#known.namespace;
  }

  get name(): string {
    return this.#known.name;
  }

  get hash(): string {
    return this.#known.hash;
  }

  get at(): string {
    return this.#at(this.#known.place);
  }

  get accepted(): boolean {
    return this.#known.json !== undefined;
  }

  get resource(): Resource | undefined {
    const { json } = this.#known;
    return json === undefined ? undefined : (JSON.parse(json) as Resource);
  }

  locate(field: string): string {
    const { prefix, place } = this.#known;
    return this.#at(this.origin.tree()?.locate([...prefix, ...parsePath(field)], 'value') ?? place);
  }

  /** Is this what would be made of the resource at that place? */
  is(known: KnownResource, file: string, linesBefore: number): boolean {
    return this.#known === known && this.linesBefore === linesBefore && this.#file === file;
  }

  #at({ line, column }: { readonly line: number; readonly column: number }): string {
    return `${this.#file}:${this.linesBefore + line}:${column}`;
  }
}

/** A finding in a document whose first line comes after `linesBefore` lines of its file. */
export function placeProblem(
  file: string,
  linesBefore: number,
  { line, column, path, message, hint }: PlacedFinding,
): Problem {
  const problem = { at: `${file}:${linesBefore + line}:${column}`, path, message };
  return hint === undefined ? problem : { ...problem, hint };
}
