import { expect } from 'chai';
import fc from 'fast-check';
import { fieldChanges } from '../../../src/diff/field-changes.ts';

describe('fieldChanges', () => {
  it('names each field that differs, with its old and its new value', () => {
    expect(
      fieldChanges(
        { a: 1, b: { c: 'x', d: [1] }, gone: true, same: { e: [{}] } },
        { a: 2, b: { c: 'x', d: [1, 2] }, 'x-new': null, same: { e: [{}] } },
      ),
    ).to.deep.equal([
      { path: 'a', from: 1, to: 2 },
      { path: 'b.d[1]', to: 2 },
      { path: 'gone', from: true },
      { path: 'x-new', to: null },
    ]);
  });

  it('takes an element put in front of a list for one addition', () => {
    const list = [{ n: 1 }, { n: 2 }, { n: 3 }];
    expect(fieldChanges([...list], [{ n: 0 }, ...list])).to.deep.equal([{ path: '[0]', to: { n: 0 } }]);
    expect(fieldChanges([...list], [list[0], { n: 9 }, list[2]])).to.deep.equal([
      { path: '[1].n', from: 2, to: 9 },
    ]);
    expect(fieldChanges([...list], list.slice(1))).to.deep.equal([{ path: '[0]', from: { n: 1 } }]);
  });

  it('treats names as data, also those that objects inherit', () => {
    const risky = JSON.parse('{"__proto__": {"a": 1}, "constructor": "b", "a b": 2}') as unknown;
    expect(fieldChanges({}, risky)).to.deep.equal([
      { path: '__proto__', to: { a: 1 } },
      { path: 'constructor', to: 'b' },
      { path: '["a b"]', to: 2 },
    ]);
  });

  it('finds nothing exactly where two values are equal, whatever they are', () => {
    const sorted = (value: unknown): unknown => JSON.parse(JSON.stringify(value, null)) as unknown;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        const [from, to] = [sorted(a), sorted(b)];
        expect(fieldChanges(from, sorted(a))).to.deep.equal([]);
        if (JSON.stringify(from) !== JSON.stringify(to)) {
          const isMereOrder = fieldChanges(from, to).length === 0;
          // Entries have their names in one order, so that order is no difference between them.
          if (isMereOrder) expect(from).to.deep.equal(to);
        }
      }),
    );
  });

  it('tells of two lists no more than what both hold, and all that only one does', () => {
    const list = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 });
    fc.assert(
      fc.property(list, list, (from, to) => {
        const changes = fieldChanges(from, to);
        const count = (values: readonly unknown[], value: number): number =>
          values.filter((each) => each === value).length;
        for (let value = 0; value <= 5; value += 1) {
          const net =
            count(
              changes.map((change) => change.to),
              value,
            ) -
            count(
              changes.map((change) => change.from),
              value,
            );
          expect(net).to.equal(count(to, value) - count(from, value));
        }
      }),
    );
  });
});
