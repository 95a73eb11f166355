import type { Attachment } from '../../snapshot/messages.ts';
import type { Delta, Entry } from '../../snapshot/model.ts';

/** What the chunks of a candidate have brought so far. Nothing of it is served. */
export class Staged {
  readonly base: number;
  readonly set = new Map<string, Entry>();
  readonly removed = new Set<string>();
  readonly attachments = new Map<string, Attachment>();

  constructor(base: number) {
    this.base = base;
  }

  take(delta: Delta, attachments: readonly Attachment[]): void {
    for (const entry of delta.set) {
      this.set.set(entry.key, entry);
      this.removed.delete(entry.key);
    }
    for (const key of delta.removed) {
      this.removed.add(key);
      this.set.delete(key);
    }
    for (const attachment of attachments) this.attachments.set(attachment.key, attachment);
  }

  /** Entries of one kind. */
  *entries(kind: string): IterableIterator<Entry> {
    for (const entry of this.set.values())
      if (entry.key.startsWith(kind) && entry.key[kind.length] === '/') yield entry;
  }
}
