import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { OpenExchanges } from '../../../../src/dataplane/proxy/open-exchanges.ts';
import type { Listed } from '../../../../src/dataplane/proxy/open-exchanges.ts';

interface Element extends Listed<Element> {
  readonly name: number;
}

describe('OpenExchanges', () => {
  it('holds what was added and not deleted, like a Set', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(8))), (steps) => {
        const list = new OpenExchanges<Element>();
        const set = new Set<Element>();
        const elements = Array.from({ length: 9 }, (_, name): Element => {
          return { name, previous: undefined, next: undefined };
        });
        for (const [add, name] of steps) {
          const element = elements[name] as Element;
          if (add && !set.has(element)) {
            list.add(element);
            set.add(element);
          } else if (!add && set.delete(element)) {
            list.delete(element);
          }
          expect(list.size).to.equal(set.size);
          expect(list.list()).to.have.members([...set]);
        }
      }),
    );
  });
});
