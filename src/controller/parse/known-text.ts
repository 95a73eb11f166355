import { Buffer } from 'node:buffer';
import type { DocumentTree } from './document-tree.ts';
import type { PlacedFinding } from './finding.ts';
import { KnownResource } from './known-resource.ts';
import type { KnownOrigin, PlacedDocument } from './placed-document.ts';
import type { ReadResource } from './resource-reader.ts';

/** What a text says. */
export interface TextReading {
  /** Not empty: the text is not YAML. */
  readonly errors: readonly PlacedFinding[];
  readonly resources: readonly ReadResource[];
}

/** Reads texts, also for a second time. */
export interface TextReader {
  read(text: string, hash: string): TextReading;
  /** Undefined: it is not YAML. */
  compose(text: string): DocumentTree | undefined;
}

const none: readonly never[] = [];

/** What is kept of a document's text. Positions are relative to it, so that it may move inside its file or to another. */
export class KnownText implements KnownOrigin {
  readonly errors: readonly PlacedFinding[];
  readonly resources: readonly KnownResource[];
  /** As last handed out: what stays in its place stays the same object. */
  placed: readonly PlacedDocument[] = none;
  generation = 0;
  /** Its bytes as latin1: the only copy. */
  readonly #latin1: string;
  readonly #reader: TextReader;

  constructor(latin1: string, { errors, resources }: TextReading, reader: TextReader) {
    this.errors = errors.length === 0 ? none : errors;
    this.resources = resources.length === 0 ? none : resources.map((read) => new KnownResource(read));
    this.#latin1 = latin1;
    this.#reader = reader;
  }

  text(): string {
    return Buffer.from(this.#latin1, 'latin1').toString('utf8');
  }

  tree(): DocumentTree | undefined {
    return this.#reader.compose(this.text());
  }

  resource(known: KnownResource): ReturnType<KnownResource['resource']> {
    return known.resource(() => {
      const { resources } = this.#reader.read(this.text(), known.hash);
      return resources[this.resources.indexOf(known)]?.resource;
    });
  }
}
