import type { Buffer } from 'node:buffer';
import type { Resource } from '../../resources/generated.ts';
import type { ResourceKind } from '../../resources/kinds.ts';
import type { Problem } from '../../snapshot/messages.ts';

export interface SourceFile {
  /** As shown in places. */
  readonly path: string;
  /** Its content, asked for only if it is not known already. */
  readonly bytes: () => Buffer;
  /** Of the content: the same one at the same path is not looked at again. Absent: always looked at. */
  readonly hash?: string;
}

export interface ParsedFile {
  readonly path: string;
  /** In the order of the file; the items of a `kind: List` one by one. Empty and comment-only documents are nothing. */
  readonly documents: readonly ParsedDocument[];
  /** What is wrong with the file as such: no UTF-8, not YAML, too large. Those of documents are in the documents. */
  readonly problems: readonly Problem[];
  /**
   * False: parts of the file could not be read, so nobody knows what it holds. Refuse it whole and keep what it held;
   * `documents` are those that could be read, for `validate`.
   */
  readonly whole: boolean;
}

/** The text that a document was read from; the same object for all that one text holds. */
export interface TextOrigin {
  text(): string;
}

export interface ParsedDocument {
  /** `Route/default/users`; undefined if the document does not say who it is (then it could be any resource of its file). */
  readonly key: string | undefined;
  readonly kind: ResourceKind | 'Unknown';
  readonly namespace: string;
  /** Empty if unknown. */
  readonly name: string;
  /** Of the document's text (in a List: of the item's content): equal hashes mean equal documents. */
  readonly hash: string;
  /** `FILE:LINE:COLUMN` of its beginning. */
  readonly at: string;
  readonly origin: TextOrigin;
  /** Lines of its file before that text. */
  readonly linesBefore: number;
  /** Is there a resource? Cheaper than to ask for it. */
  readonly accepted: boolean;
  /** Validated, defaults filled in; undefined when refused. Made each time, perhaps by reading the text again: ask once. */
  readonly resource: Resource | undefined;
  readonly problems: readonly Problem[];
  /** `FILE:LINE:COLUMN` of a field (`spec.upstreams[0].name`), or of the nearest field around it. Reads the text again: for problems only. */
  locate(path: string): string;
}
