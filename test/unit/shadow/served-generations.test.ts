import { expect } from 'chai';
import { ServedGenerations } from '../../../src/shadow/served-generations.ts';
import type { Entry } from '../../../src/snapshot/model.ts';
import { loadText } from '../../support/load-text.ts';
import { resourceDocument } from '../../support/resource-document.ts';

describe('ServedGenerations', () => {
  it('keeps what was served a moment ago, and tells which routes are gone', async () => {
    const { entries } = await loadText({
      'a.yaml': ['a', 'b']
        .map((name) => resourceDocument('Route', name, 'upstreams: [{ url: "http://10.0.0.1:1" }]'))
        .join('---\n'),
    });
    const all = [...entries.values()];
    const keysOf = (generation: number): readonly string[] => [
      ...(served.find(generation)?.simulator.entries.keys() ?? []),
    ];
    const served = new ServedGenerations({ get: () => undefined, refresh: () => Promise.resolve() });
    expect(served.latest).to.equal(undefined);
    served.stage({ generation: 3, base: 0, set: all.slice(0, 2), removed: [] });
    served.stage({ generation: 3, base: 0, set: all.slice(2), removed: [] });
    expect(served.commit(3)).to.deep.equal([]);
    expect(keysOf(3)).to.have.members(all.map(({ key }) => key));

    served.stage({ generation: 4, base: 3, set: [], removed: ['Route/default/a'] });
    expect(served.commit(4)).to.deep.equal(['default/a']);
    expect(keysOf(3)).to.include('Route/default/a');
    expect(keysOf(4)).not.to.include('Route/default/a');
    expect(served.latest?.generation).to.equal(4);

    const change = (generation: number): Entry => ({ ...(all[0] as Entry), hash: String(generation) });
    for (let generation = 5; generation <= 8; generation++) {
      served.stage({ generation, base: generation - 1, set: [change(generation)], removed: [] });
      served.commit(generation);
    }
    expect(served.find(4)).to.equal(undefined);
    expect(served.find(5)?.generation).to.equal(5);
    expect(() => served.stage({ generation: 9, base: 4, set: [], removed: [] })).to.throw('generation 4');
  });
});
