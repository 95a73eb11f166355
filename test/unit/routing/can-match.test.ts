import { expect } from 'chai';
import fc from 'fast-check';
import { canMatchUnder, hostnamesMeet } from '../../../src/routing/can-match.ts';
import { findContradiction } from '../../../src/routing/contradictions.ts';
import { compilePathPattern } from '../../../src/routing/path-pattern.ts';
import type { PathPattern } from '../../../src/routing/path-pattern.ts';
import { compileRules } from '../../../src/routing/rule.ts';
import { buildTable } from '../../../src/routing/table.ts';
import { arbitraryRequest, arbitraryRoutes } from './arbitrary-routes.ts';
import { exact, prefix, regex, request, route, template } from './routes.ts';

const hostnames = ['a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test'];
type Prefix = Extract<PathPattern, { readonly kind: 'Prefix' }>;
const under = (value: string): Prefix => compilePathPattern(prefix(value)) as Prefix;
const prefixes = ['/', '/a', '/a/', '/b', '/a/b', '/c+c', '/c%2Bc/d%20d'];

describe('canMatchUnder', () => {
  it('never says no to a condition that a request below the prefix has met', () => {
    fc.assert(
      fc.property(arbitraryRoutes, fc.array(arbitraryRequest, { minLength: 20 }), (routes, requests) => {
        const table = buildTable(routes, () => undefined);
        const below = prefixes.map(
          (value) => [value, buildTable([route('p', [prefix(value)])], () => undefined)] as const,
        );
        for (const asked of requests) {
          const match = table.match(asked);
          if (match.kind !== 'matched') continue;
          const path = routes.find(({ name }) => name === match.route)?.matches[match.matchIndex]?.path;
          for (const [value, only] of below) {
            if (only.match(asked).kind !== 'matched') continue;
            expect(
              canMatchUnder(compilePathPattern(path), under(value)),
              `${JSON.stringify(path)} under ${value}: ${asked.path}`,
            ).to.equal(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says no where the texts exclude each other', () => {
    const can = (condition: Parameters<typeof compilePathPattern>[0], value: string): boolean =>
      canMatchUnder(compilePathPattern(condition), under(value));
    expect(
      [
        exact('/administrator'),
        exact('*'),
        prefix('/adm'),
        prefix('/users'),
        template('/{a}'),
        template('/users/{id}/x'),
        regex('/users/.*'),
        regex('/admins+x'),
      ].filter((condition) => can(condition, '/admin/x')),
    ).to.deep.equal([]);
    expect(
      [
        exact('/admin/'),
        prefix('/admin/x/y'),
        prefix('/'),
        template('/{a}/x'),
        template('/admin/{b}/c'),
        regex('(?i)/ADMIN.*'),
        regex('/admin.*'),
        regex('/a|/b'),
        undefined,
      ].every((condition) => can(condition, '/admin')),
    ).to.equal(true);
  });
});

describe('hostnamesMeet', () => {
  it('says yes whenever one host fits both, and only then, whichever comes first', () => {
    const hosts = ['a.test', 'b.a.test', 'c.b.a.test', 'x.c.b.a.test', 'd.a.test', 'x.test', 'y.x.test', 'z'];
    const fits = (hostname: string, host: string): boolean =>
      buildTable(
        [route('r', [prefix('/')], { hostnames: hostname === '' ? [] : [hostname] })],
        () => undefined,
      ).match(request('/', { host })).kind === 'matched';
    for (const a of ['', 'x.test', ...hostnames]) {
      for (const b of ['', 'x.test', ...hostnames])
        expect(hostnamesMeet(a, b), `${a} and ${b}`).to.equal(
          hosts.some((host) => fits(a, host) && fits(b, host)),
        );
    }
  });
});

describe('findContradiction', () => {
  it('never reports a rule that has matched', () => {
    fc.assert(
      fc.property(arbitraryRoutes, fc.array(arbitraryRequest, { minLength: 20 }), (routes, requests) => {
        const table = buildTable(routes, () => undefined);
        for (const asked of requests) {
          const match = table.match(asked);
          if (match.kind !== 'matched') continue;
          const won = routes.find(({ name }) => name === match.route);
          const rule = won && compileRules(won, undefined)[match.matchIndex];
          expect(rule && findContradiction(rule)).to.equal(undefined);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('reports two exact values, and one that does not fit the other condition', () => {
    const header = (type: 'Exact' | 'Prefix' | 'Regex', value: string) => ({ name: 'x', type, value });
    const found = (headers: ReturnType<typeof header>[]) =>
      compileRules(route('r', [{ headers }]), undefined).map(findContradiction);
    expect(found([header('Exact', 'a'), header('Exact', 'b')])).to.deep.equal([
      { condition: 'header', name: 'x' },
    ]);
    expect(found([header('Regex', '[0-9]+'), header('Exact', 'b')])).to.deep.equal([
      { condition: 'header', name: 'x' },
    ]);
    expect(found([header('Prefix', 'a'), header('Exact', 'ab')])).to.deep.equal([undefined]);
  });
});
