import { EntryPart } from './entry-part.ts';
import type { Entry } from './model.ts';
import { textHash } from './text-hash.ts';

/** What an edit writes anew is one of so many parts. */
const parts = 256;

/** One of the parts, on its way to another thread. */
export interface PartMemory {
  readonly index: number;
  readonly memory: SharedArrayBuffer;
}

/**
 * Entries by key, packed: what rests is bytes in shared memory, an entry is made of them when it is asked for. Never changes;
 * `with` gives another one that shares all parts in which nothing changed, `taking` the same in another thread.
 */
export class PackedEntries implements ReadonlyMap<string, Entry> {
  static readonly none: PackedEntries = new this(new Array<EntryPart>(parts).fill(EntryPart.none));
  readonly size: number;
  readonly #parts: readonly EntryPart[];

  private constructor(all: readonly EntryPart[]) {
    this.#parts = all;
    this.size = all.reduce((sum, { size }) => sum + size, 0);
  }

  static of(entries: Iterable<Entry>): PackedEntries {
    return PackedEntries.none.with(new Map(Array.from(entries, (entry) => [entry.key, entry])));
  }

  /** Puts in and replaces what has an entry, takes out what has none; what says what it said is no change. */
  with(changes: ReadonlyMap<string, Entry | undefined>): PackedEntries {
    const byPart = new Map<number, Map<string, Entry | undefined>>();
    for (const [key, entry] of changes) {
      const index = partOf(key);
      const known = byPart.get(index);
      if (known === undefined) byPart.set(index, new Map([[key, entry]]));
      else known.set(key, entry);
    }
    return this.#replacing(
      Array.from(byPart, ([index, own]) => [index, this.#part(index).with(own)] as const),
    );
  }

  /** The parts that these entries do not share with others. */
  partsSince(before: PackedEntries): readonly PartMemory[] {
    const changed: PartMemory[] = [];
    for (let index = 0; index < parts; index++) {
      const part = this.#part(index);
      if (part !== before.#part(index)) changed.push({ index, memory: part.memory });
    }
    return changed;
  }

  /** These entries, but for the parts that another thread has changed. */
  taking(changed: readonly PartMemory[]): PackedEntries {
    return this.#replacing(changed.map(({ index, memory }) => [index, new EntryPart(memory)] as const));
  }

  #replacing(changed: readonly (readonly [index: number, part: EntryPart])[]): PackedEntries {
    if (changed.every(([index, part]) => this.#part(index) === part)) return this;
    const all = this.#parts.slice();
    for (const [index, part] of changed) all[index] = part;
    return new PackedEntries(all);
  }

  /** Pairs of parts in which alone these entries and others can differ. */
  *apart(other: PackedEntries): Generator<readonly [own: EntryPart, other: EntryPart]> {
    for (let index = 0; index < parts; index++) {
      const [own, others] = [this.#part(index), other.#part(index)];
      if (own !== others) yield [own, others];
    }
  }

  #part(index: number): EntryPart {
    return this.#parts[index] as EntryPart;
  }

  /** Made each time: ask once. */
  get(key: string): Entry | undefined {
    return this.#part(partOf(key)).get(key);
  }

  has(key: string): boolean {
    return this.hashOf(key) !== undefined;
  }

  /** Costs less than the entry. */
  hashOf(key: string): string | undefined {
    return this.#part(partOf(key)).hashOf(key);
  }

  /** In no order, as all that follows. */
  *keys(): Generator<string, undefined, unknown> {
    for (const part of this.#parts) yield* part.keys();
    return undefined;
  }

  *values(): Generator<Entry, undefined, unknown> {
    for (const part of this.#parts) yield* part.values();
    return undefined;
  }

  *entries(): Generator<[string, Entry], undefined, unknown> {
    for (const entry of this.values()) yield [entry.key, entry];
    return undefined;
  }

  [Symbol.iterator](): Generator<[string, Entry], undefined, unknown> {
    return this.entries();
  }

  forEach(callback: (value: Entry, key: string, map: ReadonlyMap<string, Entry>) => void): void {
    for (const [key, entry] of this) callback(entry, key, this);
  }
}

function partOf(key: string): number {
  return textHash(key) % parts;
}
