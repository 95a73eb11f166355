import type { Problem } from '../../snapshot/messages.ts';

/** A document as the parser hands it on. `resource` is there if it was accepted. */
export interface Document<Resource = unknown> {
  /** `Route/default/users`; absent where kind or name cannot be told: it could be any resource of its file. */
  readonly key: string | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Hash of its text. */
  readonly hash: string;
  /** `FILE:L:C` */
  readonly at: string;
  readonly resource: Resource | undefined;
  /** Is there a resource? Cheaper than to ask for it. */
  readonly accepted: boolean;
  readonly problems: readonly Problem[];
  /** Place of a field (`spec.upstreams[0].name`), or of the nearest one around it: `FILE:L:C`. */
  locate(path: string): string;
}

/** A file as the store sees it. */
export interface StoreFile<D extends Document = Document> {
  readonly root: string;
  /** As shown to people; the file's identity. */
  readonly path: string;
  readonly content:
    | {
        readonly state: 'read';
        readonly documents: readonly D[];
        readonly problems: readonly Problem[];
        /** False: broken as a whole (syntax), so that it cannot be told what it holds. */
        readonly whole: boolean;
      }
    | { readonly state: 'unreadable'; readonly problems: readonly Problem[] }
    /** Still being written: it says nothing yet. */
    | { readonly state: 'restless' };
}

/** The whole set, in order of the `--config` paths, then by name. */
export interface StoreInput<D extends Document = Document> {
  readonly files: readonly StoreFile<D>[];
  /** `--config` paths that are gone: nothing that came from them is deleted. */
  readonly missing: readonly { readonly root: string; readonly reason: string }[];
}

export function documentsOf<D extends Document>({ content }: StoreFile<D>): readonly D[] {
  return content.state === 'read' ? content.documents : [];
}
