import type { Problem } from '../../snapshot/messages.ts';
import type { Document, StoreFile } from './document.ts';

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

/** A resource that was accepted at some time: the only ones that are translated. */
export type Accepted = Stored & { readonly accepted: Document };

export interface Store<D extends Document = Document> {
  readonly resources: ReadonlyMap<string, Stored<D>>;
  /** Every problem of the set: files, documents, names. */
  readonly problems: readonly Problem[];
  /** Documents that were refused and whose kind or name could not be told. */
  readonly unidentified: number;
  /** The files it was made of, if each of their documents is a resource of its own and nothing is to be said about any. */
  readonly sound?: readonly StoreFile<D>[];
}

export const emptyStore: Store<never> = { resources: new Map(), problems: [], unidentified: 0 };
