import type { Resource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import type { DocumentTree } from './document-tree.ts';
import { parsePath } from './field-path.ts';
import type { PlacedFinding } from './finding.ts';
import type { ParsedDocument, TextOrigin } from './parsed-file.ts';
import type { KnownResource } from './known-resource.ts';

/** Reads the text again each time. */
export interface KnownOrigin extends TextOrigin {
  tree(): DocumentTree | undefined;
  /** Undefined: it was refused. */
  resource(known: KnownResource): Resource | undefined;
}

const noProblems: readonly Problem[] = [];

/** A resource at its place in a file. There may be 100,000: what can be found out again is not kept. */
export class PlacedDocument implements ParsedDocument {
  readonly problems: readonly Problem[];
  readonly #known: KnownResource;
  readonly #file: string;
  readonly linesBefore: number;
  readonly origin: KnownOrigin;

  constructor(known: KnownResource, file: string, linesBefore: number, origin: KnownOrigin) {
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
    return this.#at(this.#known);
  }

  get accepted(): boolean {
    return this.#known.accepted;
  }

  get resource(): Resource | undefined {
    return this.origin.resource(this.#known);
  }

  locate(field: string): string {
    const known = this.#known;
    return this.#at(this.origin.tree()?.locate([...known.prefix, ...parsePath(field)], 'value') ?? known);
  }

  /** Is this what would be made of the resource at that place? */
  is(known: KnownResource, file: string, linesBefore: number): boolean {
    return this.#known === known && this.linesBefore === linesBefore && this.#file === file;
  }

  #at({ line, column }: { readonly line: number; readonly column: number }): string {
    // Joined, as every resource keeps it: V8 would keep what a template makes as its pieces.
    return [this.#file, this.linesBefore + line, column].join(':');
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
