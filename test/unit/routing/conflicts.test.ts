import { expect } from 'chai';
import fc from 'fast-check';
import { findConflicts } from '../../../src/routing/conflicts.ts';
import { buildTable } from '../../../src/routing/table.ts';
import type { RouteSnapshot } from '../../../src/snapshot/model.ts';
import { arbitraryRequest, arbitraryRoutes } from './arbitrary-routes.ts';
import { exact, prefix, regex, route, template } from './routes.ts';

function conflicts(routes: readonly RouteSnapshot[]): string[] {
  return findConflicts(buildTable(routes, () => undefined).pairs()).map(
    ({ kind, hostname, route: name, matchIndex, by }) =>
      `${kind} ${hostname} ${name}[${matchIndex}] by ${by.route}[${by.matchIndex}]`.replaceAll(
        'default/',
        '',
      ),
  );
}

describe('findConflicts', () => {
  it('reports pairs that only their names tell apart', () => {
    const headers = [{ name: 'x', type: 'Exact', value: '1' }] as const;
    expect(
      conflicts([
        route('a', [template('/u/{id}'), { path: exact('/x'), methods: ['GET', 'PUT'], headers }]),
        route('b', [template('/u/{name}'), { path: exact('/x'), methods: ['PUT', 'GET'], headers }]),
        route('c', [template('/u/{id}')], { hostnames: ['a.test'] }),
      ]),
    ).to.deep.equal(['Same  b[1] by a[1]', 'Same  b[0] by a[0]']);
  });

  it('reports matches that an earlier one always takes', () => {
    const urgent = { priority: 1 };
    expect(
      conflicts([
        route('all', [prefix('/api')], urgent),
        route('deep', [exact('/api/x'), template('/api/{v}/y'), regex('/api/[a-z]+'), prefix('/api/z')]),
        route('beside', [exact('/apix'), regex('/api.*'), template('/{a}/x'), { methods: ['GET'] }]),
        route('posts', [{ path: prefix('/m'), methods: ['POST'] }], urgent),
        route('methods', [
          { path: exact('/m/1'), methods: ['POST'] },
          { path: exact('/m/2'), methods: ['POST', 'GET'] },
        ]),
      ]),
    ).to.have.members([
      'Shadowed  deep[0] by all[0]',
      'Shadowed  deep[1] by all[0]',
      'Shadowed  deep[2] by all[0]',
      'Shadowed  deep[3] by all[0]',
      'Shadowed  methods[0] by posts[0]',
    ]);
  });

  it('reports matches that an earlier one of a wider hostname always takes', () => {
    expect(
      conflicts([
        route('any', [prefix('/api')], { priority: 1 }),
        route('wild', [prefix('/w')], { priority: 1, hostnames: ['*.a.test'] }),
        route('host', [exact('/api/x'), prefix('/w/x'), prefix('/free')], { hostnames: ['b.a.test'] }),
        route('inner', [prefix('/w')], { hostnames: ['*.b.a.test', 'a.test'] }),
        route('equal', [prefix('/e')]),
        route('narrow', [prefix('/e')], { hostnames: ['a.test'] }),
      ]),
    ).to.have.members([
      'Shadowed b.a.test host[0] by any[0]',
      'Shadowed b.a.test host[1] by wild[0]',
      'Shadowed *.b.a.test inner[0] by wild[0]',
    ]);
  });

  it('never reports a match that can win', () => {
    fc.assert(
      fc.property(
        arbitraryRoutes,
        fc.array(arbitraryRequest, { minLength: 30, maxLength: 60 }),
        (routes, requests) => {
          const table = buildTable(routes, () => undefined);
          const found = findConflicts(table.pairs());
          const byRule = new Map<string, Set<string>>();
          for (const { route: name, matchIndex, hostname } of found) {
            const key = `${name}[${matchIndex}]`;
            byRule.set(key, (byRule.get(key) ?? new Set()).add(hostname));
          }
          for (const asked of requests) {
            const result = table.match(asked);
            if (result.kind !== 'matched') continue;
            const hosts = routes.find(({ name }) => name === result.route)?.hostnames ?? [];
            const reported = byRule.get(`${result.route}[${result.matchIndex}]`)?.size ?? 0;
            // Reported for every hostname it has: then it must never win.
            expect(reported).to.be.below(Math.max(1, hosts.length));
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is quick with many routes on one host', function () {
    this.timeout(10_000);
    const routes = Array.from({ length: 10_000 }, (_, i) =>
      route(`r${i}`, [
        { path: prefix('/same'), headers: [{ name: 'x', type: 'Exact', value: `${i}` }] },
        prefix(`/p${i}/q`),
      ]),
    );
    const pairs = buildTable(routes, () => undefined).pairs();
    expect(findConflicts(pairs)).to.deep.equal([]);
  });
});
