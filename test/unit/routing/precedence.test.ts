import { expect } from 'chai';
import fc from 'fast-check';
import { comparePairs } from '../../../src/routing/precedence.ts';
import { buildTable } from '../../../src/routing/table.ts';
import type { RouteSnapshot } from '../../../src/snapshot/model.ts';
import { arbitraryRoutes } from './arbitrary-routes.ts';
import { exact, prefix, regex, route, template } from './routes.ts';

/** Names of the routes in the order in which their pairs are asked. */
function order(routes: readonly RouteSnapshot[]): string[] {
  return buildTable([...routes].reverse(), () => undefined)
    .pairs()
    .map(({ rule }) => rule.route.replace('default/', ''));
}

describe('comparePairs', () => {
  it('is a total order', () => {
    fc.assert(
      fc.property(arbitraryRoutes, (routes) => {
        const pairs = buildTable(routes, () => undefined).pairs();
        for (const a of pairs) {
          for (const b of pairs) {
            expect(Math.sign(comparePairs(a, b))).to.equal(0 - Math.sign(comparePairs(b, a)));
            if (a !== b) expect(comparePairs(a, b)).to.not.equal(0);
            for (const c of pairs) {
              if (comparePairs(a, b) < 0 && comparePairs(b, c) < 0) expect(comparePairs(a, c)).to.be.below(0);
            }
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('asks for priority before all else, then for the hostname', () => {
    const path = [prefix('/')];
    expect(
      order([
        route('urgent', path, { priority: 1 }),
        route('exact', path, { hostnames: ['z.example'] }),
        route('longer', path, { hostnames: ['*.b.example'] }),
        route('shorter', path, { hostnames: ['*.example'] }),
        route('none', [exact('/x')]),
        route('late', [exact('/x')], { priority: -1, hostnames: ['a.example'] }),
      ]),
    ).to.deep.equal(['urgent', 'exact', 'longer', 'shorter', 'none', 'late']);
  });

  it('then for the path', () => {
    expect(
      order([
        route('exact', [exact('/z')]),
        route('literal-literal', [template('/a/b/{x}')]),
        route('literal-variable', [template('/a/{x}/c')]),
        route('variable', [template('/{x}/a/a')]),
        route('longest', [prefix('/a/b/c')]),
        route('shorter', [prefix('/z/')]),
        route('longer-regex', [regex('/a.*')]),
        route('regex', [regex('/.')]),
        route('no-path', [{}]),
      ]),
    ).to.deep.equal(
      'exact literal-literal literal-variable variable longest shorter longer-regex regex no-path'.split(' '),
    );
  });

  it('then for method, headers, query, name and index', () => {
    const path = prefix('/');
    const present = (name: string) => ({ name, type: 'Present', value: '' }) as const;
    const names = order([
      route('method', [{ path, methods: ['GET'] }]),
      route('headers', [{ path, headers: [present('a'), present('b')] }]),
      route('header', [{ path, headers: [present('a')], query: [present('q')] }]),
      route('query', [{ path, query: [present('q')] }]),
      route('x', [{ path }, { path }]),
      route('y', [{ path }]),
    ]);
    expect(names).to.deep.equal(['method', 'headers', 'header', 'query', 'x', 'x', 'y']);
    const indexes = buildTable([route('x', [{ path }, { path }])], () => undefined).pairs();
    expect(indexes.map(({ rule }) => rule.matchIndex)).to.deep.equal([0, 1]);
  });
});
