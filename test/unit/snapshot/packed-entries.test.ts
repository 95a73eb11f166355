import { expect } from 'chai';
import fc from 'fast-check';
import { changedKeys } from '../../../src/snapshot/changed-keys.ts';
import type { Entry } from '../../../src/snapshot/model.ts';
import { PackedEntries } from '../../../src/snapshot/packed-entries.ts';

/** Few keys, so that edits meet what is there; texts of all lengths that UTF-8 knows. */
const key = fc.integer({ min: 0, max: 40 }).map((n) => `Route/default/${n % 3 === 0 ? 'é'.repeat(n) : n}`);
const json = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => JSON.stringify(text));
const edit = fc.array(fc.tuple(key, fc.option(json, { nil: undefined })), { maxLength: 60 });

function changes(edits: readonly (readonly [string, string | undefined])[]): Map<string, Entry | undefined> {
  return new Map(
    edits.map(([at, text]) => [
      at,
      text === undefined ? undefined : { key: at, hash: `#${text}`, json: text },
    ]),
  );
}

function edited(before: ReadonlyMap<string, Entry>, by: ReadonlyMap<string, Entry | undefined>) {
  const after = new Map(before);
  for (const [at, entry] of by) {
    if (entry === undefined) after.delete(at);
    else after.set(at, entry);
  }
  return after;
}

const sorted = (entries: Iterable<readonly [string, unknown]>): unknown =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

const many = Array.from({ length: 3000 }, (_, i): Entry => ({
  key: `Route/default/${i}`,
  hash: 'h',
  json: '{}',
}));

describe('PackedEntries', () => {
  it('holds what a Map holds, whatever was put in and taken out, and leaves what there was as it was', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 6 }), (edits) => {
        let packed = PackedEntries.none;
        let plain: ReadonlyMap<string, Entry> = new Map();
        const made: { readonly packed: PackedEntries; readonly then: unknown }[] = [];
        for (const each of edits.map(changes)) {
          packed = packed.with(each);
          plain = edited(plain, each);
          made.push({ packed, then: sorted(plain) });
          expect(packed.size).to.equal(plain.size);
          for (const at of each.keys()) {
            expect(packed.get(at)).to.deep.equal(plain.get(at));
            expect(packed.hashOf(at)).to.equal(plain.get(at)?.hash);
          }
        }
        for (const { packed: old, then } of made) expect(sorted(old)).to.deep.equal(then);
      }),
    );
  });

  it('is told apart from others as Maps are', () => {
    fc.assert(
      fc.property(edit, edit, (first, second) => {
        const before = PackedEntries.none.with(changes(first));
        const after = before.with(changes(second));
        const told = changedKeys(before, after);
        const wanted = changedKeys(new Map(before), new Map(after));
        for (const field of ['added', 'changed', 'removed'] as const)
          expect([...told[field]].sort()).to.deep.equal([...wanted[field]].sort());
      }),
    );
  });

  it('goes to another thread as the parts in which anything changed', () => {
    const before = PackedEntries.of(many);
    const there = PackedEntries.none.taking(structuredClone(before.partsSince(PackedEntries.none)));
    expect(sorted(there)).to.deep.equal(sorted(before));
    const after = before.with(
      new Map([['Route/default/7', { key: 'Route/default/7', hash: 'i', json: '[]' }]]),
    );
    const parts = after.partsSince(before);
    expect(parts).to.have.length(1);
    expect(sorted(there.taking(parts))).to.deep.equal(sorted(after));
    expect(sorted(before.taking(before.partsSince(after))), 'and back').to.deep.equal(sorted(before));
  });

  it('stays the same object where nothing is said that it did not say', () => {
    const entries = PackedEntries.of(many);
    const same = new Map(many.slice(0, 100).map((entry) => [entry.key, entry]));
    expect(entries.with(same)).to.equal(entries);
    expect(entries.with(new Map([['Route/default/none', undefined]]))).to.equal(entries);
  });

  it('keeps what it holds out of the heap of the thread', () => {
    const held = PackedEntries.of(many).partsSince(PackedEntries.none);
    const bytes = held.reduce((sum, { memory }) => sum + memory.byteLength, 0);
    const texts = many.reduce(
      (sum, entry) => sum + entry.key.length + entry.hash.length + entry.json.length,
      0,
    );
    expect(bytes / many.length - texts / many.length, 'beside its texts, an entry').to.be.below(40);
  });
});
