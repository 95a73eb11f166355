import type { Attachment } from '../../snapshot/messages.ts';
import type { Delta, Entry } from '../../snapshot/model.ts';

/** What the chunks of a candidate have brought so far. Nothing of it is served. */
export class Staged {
  readonly base: number;
  readonly set = new Map<string, Entry>();
  /** The same by kind: a reload of many routes must not walk over all of them to find its listener. */
  private readonly kinds = new Map<string, Map<string, Entry>>();
  readonly removed = new Set<string>();
  readonly attachments = new Map<string, Attachment>();

  constructor(base: number) {
    this.base = base;
  }

  take(delta: Delta, attachments: readonly Attachment[]): void {
    for (const entry of delta.set) {
      this.set.set(entry.key, entry);
      this.kind(entry.key).set(entry.key, entry);
      this.removed.delete(entry.key);
    }
    for (const key of delta.removed) {
      this.removed.add(key);
      if (this.set.delete(key)) this.kind(key).delete(key);
    }
    for (const attachment of attachments) this.attachments.set(attachment.key, attachment);
  }

  get removesRoutes(): boolean {
    for (const key of this.removed) if (kindOf(key) === 'Route') return true;
    return false;
  }

  /** Entries of one kind. */
  entries(kind: string): Iterable<Entry> {
    return this.kinds.get(kind)?.values() ?? [];
  }

  private kind(key: string): Map<string, Entry> {
    const kind = kindOf(key);
    let entries = this.kinds.get(kind);
    if (entries === undefined) this.kinds.set(kind, (entries = new Map<string, Entry>()));
    return entries;
  }
}

function kindOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
}
