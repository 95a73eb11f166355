import { expect } from 'chai';
import type { Comparison } from '../../../src/shadow/comparer.ts';
import { Tally } from '../../../src/shadow/tally.ts';

describe('Tally', () => {
  let now = 0;
  const same = (route: string): Comparison => ({ route, result: 'same' });
  const changed = (
    route: string,
    changes: readonly ('url' | 'status')[] = ['url'],
    path = '/',
  ): Comparison => ({
    route,
    result: 'changed',
    change: {
      changes,
      describe: () => ({ method: 'GET', host: 'h', path, from: 'a', to: 'b', fields: [] }),
    },
  });
  const open = (): Tally => {
    now = 7_000;
    return new Tally(() => now);
  };

  it('counts by route and by kind, and shows a recent example of each combination', () => {
    const tally = open();
    tally.add(changed('a', ['url'], '/first'));
    tally.add(changed('a', ['url'], '/second of the same second'));
    now += 1_000;
    tally.add(changed('a', ['url'], '/third'));
    tally.add(changed('a', ['status', 'url'], '/x'));
    tally.add(same('b'));
    tally.add({ ...changed('b'), result: 'uncertain' });
    tally.drop('behind', 3);
    const report = tally.report();
    expect(report).to.deep.include({
      since: 7,
      requests: { same: 1, changed: 4, uncertain: 1 },
      dropped: { behind: 3, candidate: 0, generation: 0, failed: 0 },
    });
    const [a, b] = report.routes;
    expect(a).to.deep.include({ route: 'a', changed: 4, changes: { url: 4, status: 1 } });
    expect(a?.examples.map(({ count, path, time }) => [count, path, time])).to.deep.equal([
      [3, '/third', 8],
      [1, '/x', 8],
    ]);
    expect(b).to.deep.include({ route: 'b', same: 1, uncertain: 1 });
    expect(b?.examples[0]?.certain).to.equal(false);
  });

  it('gives each count once for metrics, and begins the report anew when it is told to', () => {
    const tally = open();
    tally.add(changed('a'));
    tally.add(same('a'));
    tally.drop('candidate', 1);
    tally.forget(['gone']);
    now += 5_000;
    tally.restart();
    expect(tally.report()).to.deep.include({
      since: 12,
      requests: { same: 0, changed: 0, uncertain: 0 },
      routes: [],
    });
    expect(tally.take()).to.deep.equal({
      requests: [
        { route: 'a', result: 'changed', count: 1 },
        { route: 'a', result: 'same', count: 1 },
      ],
      changes: [{ route: 'a', change: 'url', count: 1 }],
      dropped: [{ reason: 'candidate', count: 1 }],
      gone: ['gone'],
    });
    expect(tally.take()).to.equal(undefined);
  });

  it('tells so many routes apart, those that change from those that do not, until they are gone', () => {
    const tally = open();
    for (let i = 0; i < 1_005; i++) tally.add(same(`r${i}`));
    for (let i = 0; i < 1_005; i++) tally.add(changed(`c${i}`));
    const { routes } = tally.report();
    expect(routes).to.have.length(2_001);
    expect(routes.find(({ route }) => route === '_other')).to.include({ same: 5, changed: 5 });
    tally.forget(['c7']);
    tally.add(changed('late'));
    expect(tally.report().routes.find(({ route }) => route === 'late')).to.include({ changed: 1 });
  });
});
