import { Buffer } from 'node:buffer';
import type { Entry } from './model.ts';
import { textHash } from './text-hash.ts';

const wordBytes = 4;
/** Before the text of a record: the lengths of key, hash and JSON, in bytes. */
const headWords = 3;

type Changes = ReadonlyMap<string, Entry | undefined>;

/** A record to be written: a new one, or one of the part before, by its words. */
type Source = { readonly key: string; readonly words: number } & (
  { readonly entry: Entry } | { readonly from: number }
);

/**
 * Some entries as bytes in shared memory: one copy for all threads, outside of their heaps. It is written before anybody else
 * has it and never again (G2). In words of 32 bits: the number of entries; a power of two of slots, each the word at which a
 * record begins, or 0; the records, each three lengths and then key, hash and JSON in UTF-8.
 */
export class EntryPart implements Pick<ReadonlyMap<string, Entry>, 'size' | 'get' | 'keys' | 'values'> {
  static readonly none: EntryPart = new this(new SharedArrayBuffer((1 + slotsFor(0)) * wordBytes));
  /** To be handed to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Uint32Array(memory);
    this.#bytes = Buffer.from(memory);
  }

  /** Puts in and replaces what has an entry, takes out what has none; what says what it said is no change. */
  with(changes: Changes): EntryPart {
    const sources: Source[] = [];
    const left = new Map(changes);
    let isSame = true;
    for (const at of this.#records()) {
      const key = this.#keyAt(at);
      const change = changes.get(key);
      if (!left.delete(key) || change?.hash === this.#hashAt(at)) {
        sources.push({ key, from: at, words: this.#endOf(at) - at });
        continue;
      }
      isSame = false;
      if (change !== undefined) sources.push(sourceOf(change));
    }
    for (const entry of left.values()) {
      if (entry === undefined) continue;
      isSame = false;
      sources.push(sourceOf(entry));
    }
    // The same object, so that whoever compares sees that nothing changed.
    if (isSame) return this;
    return sources.length === 0 ? EntryPart.none : this.#written(sources);
  }

  #written(sources: readonly Source[]): EntryPart {
    const slots = slotsFor(sources.length);
    const start = 1 + slots;
    const words = sources.reduce((sum, source) => sum + source.words, start);
    const part = new EntryPart(new SharedArrayBuffer(words * wordBytes));
    part.#words[0] = sources.length;
    let at = start;
    for (const source of sources) {
      part.#words[1 + part.#slotOf(source.key)] = at;
      if ('entry' in source) part.#write(at, source.entry);
      else part.#words.set(this.#words.subarray(source.from, source.from + source.words), at);
      at += source.words;
    }
    return part;
  }

  #write(at: number, { key, hash, json }: Entry): void {
    let to = (at + headWords) * wordBytes;
    for (const [i, text] of [key, hash, json].entries()) {
      const length = this.#bytes.write(text, to);
      this.#words[at + i] = length;
      to += length;
    }
  }

  get size(): number {
    return this.#words[0] as number;
  }

  /** Made each time: ask once. */
  get(key: string): Entry | undefined {
    const at = this.#find(key);
    return at === 0 ? undefined : this.#entryAt(at);
  }

  /** Costs less than the entry. */
  hashOf(key: string): string | undefined {
    const at = this.#find(key);
    return at === 0 ? undefined : this.#hashAt(at);
  }

  *keys(): Generator<string, undefined, unknown> {
    for (const at of this.#records()) yield this.#keyAt(at);
    return undefined;
  }

  *values(): Generator<Entry, undefined, unknown> {
    for (const at of this.#records()) yield this.#entryAt(at);
    return undefined;
  }

  /** Where each begins. */
  *#records(): Generator<number> {
    for (let at = 1 + slotsFor(this.size); at < this.#words.length; at = this.#endOf(at)) yield at;
  }

  #endOf(at: number): number {
    const bytes = this.#length(at, 0) + this.#length(at, 1) + this.#length(at, 2);
    return at + wordsFor(bytes);
  }

  #length(at: number, field: number): number {
    return this.#words[at + field] as number;
  }

  #keyAt(at: number): string {
    return this.#text(at, 0, this.#length(at, 0));
  }

  #hashAt(at: number): string {
    return this.#text(at, this.#length(at, 0), this.#length(at, 1));
  }

  #entryAt(at: number): Entry {
    const json = this.#text(at, this.#length(at, 0) + this.#length(at, 1), this.#length(at, 2));
    return { key: this.#keyAt(at), hash: this.#hashAt(at), json };
  }

  #text(at: number, offset: number, length: number): string {
    const start = (at + headWords) * wordBytes + offset;
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** 0: there is none. */
  #find(key: string): number {
    return this.#words[1 + this.#slotOf(key)] as number;
  }

  /** The slot of a key, or the free one where it would be. */
  #slotOf(key: string): number {
    const slots = slotsFor(this.size);
    let slot = Math.imul(textHash(key), 0x9e3779b1) >>> (32 - Math.log2(slots));
    for (;;) {
      const at = this.#words[1 + slot] as number;
      if (at === 0 || this.#keyAt(at) === key) return slot;
      slot = (slot + 1) % slots;
    }
  }
}

/** At least half of them are free. */
function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, 2 * entries)));
}

function wordsFor(bytes: number): number {
  return headWords + Math.ceil(bytes / wordBytes);
}

function sourceOf(entry: Entry): Source {
  const { key, hash, json } = entry;
  const bytes = Buffer.byteLength(key) + Buffer.byteLength(hash) + Buffer.byteLength(json);
  return { key, entry, words: wordsFor(bytes) };
}
