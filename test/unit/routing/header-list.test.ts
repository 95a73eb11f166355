import { expect } from 'chai';
import fc from 'fast-check';
import { HeaderList } from '../../../src/routing/header-list.ts';

describe('HeaderList', () => {
  const names = ['Set-Cookie', 'set-cookie', 'X-A', 'x-a', 'X-B'];
  const fields = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('1', '2', '')), {
    maxLength: 8,
  });
  const lower = fc.constantFrom('set-cookie', 'x-a', 'x-b', 'x-c');

  it('finds, sets, removes and renames as a list of pairs does', () => {
    fc.assert(
      fc.property(fields, lower, (pairs, name) => {
        const list = (): HeaderList => new HeaderList(pairs.flat());
        const own = pairs.filter(([written]) => written.toLowerCase() === name);
        const others = pairs.filter(([written]) => written.toLowerCase() !== name);
        expect(list().getAll(name)).to.deep.equal(own.map(([, value]) => value));
        expect(list().get(name)).to.equal(own[0]?.[1]);
        expect(list().has(name)).to.equal(own.length > 0);

        const removed = list();
        expect(removed.remove(name)).to.equal(own.length > 0);
        expect(removed.raw).to.deep.equal(others.flat());

        const set = list();
        set.set(name, 'new');
        const first = pairs.findIndex(([written]) => written.toLowerCase() === name);
        const expected = pairs
          .map(([written, value], i) => (i === first ? [written, 'new'] : [written, value]))
          .filter(([written], i) => i === first || written?.toLowerCase() !== name);
        if (first < 0) expected.push([name, 'new']);
        expect(set.raw).to.deep.equal(expected.flat());

        const renamed = list();
        renamed.rename(name, 'Y');
        expect(renamed.raw).to.deep.equal(
          pairs.flatMap(([written, value]) => [written.toLowerCase() === name ? 'Y' : written, value]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('gives a copy that changes alone', () => {
    const list = new HeaderList(['a', '1']);
    const copy = list.clone();
    copy.add('b', '2');
    copy.set('a', '3');
    expect(list.raw).to.deep.equal(['a', '1']);
    expect(copy.raw).to.deep.equal(['a', '3', 'b', '2']);
  });
});
