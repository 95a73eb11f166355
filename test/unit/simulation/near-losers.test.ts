import { expect } from 'chai';
import fc from 'fast-check';
import { buildTable } from '../../../src/routing/table.ts';
import type { RouteSnapshot } from '../../../src/snapshot/model.ts';
import { findNearLosers, firstFailure, precedenceBetween } from '../../../src/simulation/near-losers.ts';
import { arbitraryRequest, arbitraryRoutes } from '../routing/arbitrary-routes.ts';
import { exact, prefix, request, route } from '../routing/routes.ts';

const tableOf = (routes: readonly RouteSnapshot[]) => buildTable(routes, (each) => each);

describe('firstFailure', () => {
  it('finds nothing wrong with the pair that the table chooses, and something with every pair before it', () => {
    fc.assert(
      fc.property(arbitraryRoutes, arbitraryRequest, (routes, asked) => {
        const table = tableOf(routes);
        const match = table.match(asked);
        const first = table.pairs().find((pair) => firstFailure(pair, asked) === undefined);
        if (match.kind !== 'matched') expect(first).to.equal(undefined);
        else
          expect([first?.rule.route, first?.rule.matchIndex]).to.deep.equal([match.route, match.matchIndex]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('findNearLosers', () => {
  const table = tableOf([
    route('winner', [{ path: prefix('/users'), methods: ['GET'] }]),
    route('later', [prefix('/users')]),
    route('post', [{ path: exact('/users/7'), methods: ['POST'] }]),
    route('canary', [
      { path: prefix('/users'), headers: [{ name: 'x-env', type: 'Exact', value: 'canary' }] },
    ]),
    route('old', [{ path: prefix('/users'), query: [{ name: 'v', type: 'Prefix', value: '1' }] }]),
    route('inner', [prefix('/users/8')]),
    route('hosted', [exact('/users/7')], { hostnames: ['b.test'] }),
    route('secure', [prefix('/users/7')], { listeners: ['https'] }),
    route('foreign', [prefix('/orders')]),
    route('nowhere', [prefix('/')], { hostnames: ['b.test'] }),
  ]);
  const near = (limit = 20) =>
    findNearLosers(
      table.pairs(),
      request('/users/7?v=2', { listener: 'http', headers: ['X-Env', 'prod'] }),
      { route: 'default/winner', matchIndex: 0, hostname: '' },
      limit,
    );

  it('gives the first condition that fails, and what came nearest first', () => {
    expect(
      near().losers.map(
        ({ route: name, failed }) =>
          `${name.slice(8)}: ${failed.condition} ${failed.name ?? ''} ${failed.expected}`,
      ),
    ).to.deep.equal([
      'later: precedence  to be asked first',
      'secure: listener  https',
      'old: query v 1…',
      'canary: header x-env canary',
      'post: method  POST',
      'inner: path  prefix /users/8',
      'hosted: host  b.test',
    ]);
  });

  it('stops at the limit and says how many more there are', () => {
    const { losers, more } = near(3);
    expect([losers.length, more]).to.deep.equal([3, 4]);
  });

  it('names the rule of precedence between any two pairs', () => {
    fc.assert(
      fc.property(arbitraryRoutes, (routes) => {
        const pairs = tableOf(routes).pairs();
        for (const [i, second] of pairs.entries()) {
          const first = pairs[i - 1];
          if (first !== undefined)
            expect(precedenceBetween(first, second)).to.match(/before|more|without|names|earlier/);
        }
      }),
      { numRuns: 50 },
    );
    const [first, second] = table.pairs().filter(({ rule }) => /winner|later/.test(rule.route));
    expect(first && second && precedenceBetween(first, second)).to.equal(
      'a match with methods before one without',
    );
  });
});
