import { expect } from 'chai';
import { WeightedSplit } from '../../../../src/dataplane/proxy/weighted-split.ts';
import type { Upstream } from '../../../../src/dataplane/upstream/upstream.ts';

describe('WeightedSplit', () => {
  it('gives each upstream exactly its share, the missing one too', () => {
    const [a, b] = [upstream('a'), upstream('b')];
    const split = new WeightedSplit([
      { upstream: a, weight: 7 },
      { upstream: b, weight: 2 },
      { upstream: undefined, weight: 1 },
    ]);
    const picked = Array.from({ length: 100 }, () => split.pick());
    expect([a, b, undefined].map((one) => picked.filter((other) => other === one).length)).to.deep.equal([
      70, 20, 10,
    ]);
  });

  it('picks nothing where all weights are 0', () => {
    expect(new WeightedSplit([{ upstream: upstream('a'), weight: 0 }]).pick()).to.equal(undefined);
  });

  it('goes on where its predecessor stopped if the weights are the same, and starts anew if not', () => {
    const shares = [
      { upstream: upstream('a'), weight: 1 },
      { upstream: upstream('b'), weight: 1 },
    ];
    const first = new WeightedSplit(shares);
    expect(first.pick()?.key).to.equal('a');
    const same = new WeightedSplit(
      [...shares.map(({ weight }, i) => ({ upstream: upstream('ab'[i] as string), weight }))],
      first,
    );
    expect(same.pick()?.key).to.equal('b');
    const other = new WeightedSplit(
      [
        { upstream: upstream('a'), weight: 1 },
        { upstream: upstream('b'), weight: 2 },
      ],
      same,
    );
    expect(other.pick()?.key).to.equal('b');
  });
});

function upstream(key: string): Upstream {
  return { key } as Upstream;
}
