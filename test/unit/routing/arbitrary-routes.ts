import fc from 'fast-check';
import { HeaderList } from '../../../src/routing/header-list.ts';
import type { MatchRequest } from '../../../src/routing/rule.ts';
import type { MatchSnapshot, PathMatch, RouteSnapshot, ValueMatch } from '../../../src/snapshot/model.ts';
import { route } from './routes.ts';

// Few words, so that random routes and requests meet, contradict and shadow each other all the time.
const segment = fc.constantFrom('a', 'b', 'c+c', 'd%20d');
const segments = fc.array(segment, { maxLength: 3 });
const path = fc
  .tuple(segments, fc.boolean())
  .map(([parts, slash]) => `/${parts.join('/')}${slash && parts.length > 0 ? '/' : ''}`);

const pathMatch: fc.Arbitrary<PathMatch> = fc.oneof(
  path.map((value) => ({ type: 'Exact' as const, value })),
  path.map((value) => ({ type: 'Prefix' as const, value })),
  fc.array(fc.oneof(segment, fc.constant(null)), { minLength: 1, maxLength: 3 }).map((parts) => ({
    type: 'Template' as const,
    value: `/${parts.map((part, i) => part ?? `{v${i}}`).join('/')}`,
  })),
  fc
    .constantFrom(
      '/a',
      '/a/.*',
      '/a/b.*',
      '/[ab]',
      '/(a|b)/.+',
      '.*',
      '/a+(/b)?',
      '/b/[^/]*',
      '/a/b/.*',
      '/c\\+c/.*',
      '/a|/b/a',
      '/[^/]*/b',
      '/a[x]*/b',
      '/\\w/b/.*',
      '/(a|b)/b+(/.*)?',
      '.*/b',
    )
    .map((value) => ({ type: 'Regex' as const, value })),
);

const condition = (names: readonly string[]): fc.Arbitrary<ValueMatch> =>
  fc.record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom('Exact', 'Prefix', 'Regex', 'Present'),
    value: fc.constantFrom('1', '12', '1+2?'),
  });

const match: fc.Arbitrary<MatchSnapshot> = fc
  .record({
    path: fc.option(pathMatch, { freq: 6, nil: undefined }),
    methods: fc.subarray(['GET', 'POST', 'PUT'], { maxLength: 2 }),
    headers: fc.array(condition(['x-a', 'x-b']), { maxLength: 2 }),
    query: fc.array(condition(['q', 'r s']), { maxLength: 1 }),
  })
  .map(({ path: condition_, ...rest }) => (condition_ === undefined ? rest : { ...rest, path: condition_ }));

const hostnames = ['a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test'] as const;

/** A route called `default/<name>`, without middlewares. */
export function arbitraryRoute(name: fc.Arbitrary<string>): fc.Arbitrary<RouteSnapshot> {
  return fc
    .record({
      name,
      matches: fc.array(match, { minLength: 1, maxLength: 3 }),
      priority: fc.constantFrom(0, 0, 0, 0, 1, -1),
      hostnames: fc.subarray([...hostnames], { maxLength: 2 }),
      listeners: fc.option(fc.constantFrom(['http'], ['https']), { freq: 4, nil: undefined }),
    })
    .map(({ name: text, matches, listeners, ...rest }) =>
      route(text, matches, listeners === undefined ? rest : { ...rest, listeners }),
    );
}

/** Routes of different names. */
export const arbitraryRoutes: fc.Arbitrary<RouteSnapshot[]> = fc.uniqueArray(
  arbitraryRoute(fc.nat(30).map((n) => `r${n}`)),
  { selector: (one) => one.name, maxLength: 14 },
);

export const arbitraryRequest: fc.Arbitrary<MatchRequest> = fc
  .record({
    host: fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'x.test', 'test', 'other', ''),
    path: fc.oneof(
      path,
      path.map((text) => text.replaceAll('+', '%2B')),
      fc.constant('*'),
    ),
    method: fc.constantFrom('GET', 'POST', 'PUT', 'BREW'),
    headers: fc.array(fc.tuple(fc.constantFrom('X-A', 'x-b'), fc.constantFrom('1', '12', '112', '')), {
      maxLength: 3,
    }),
    query: fc.constantFrom('', 'q=1', 'q=12&q=1', 'x&r+s=12', 'r%20s', '%71=112', 'q', '&&q=1'),
    listener: fc.constantFrom('http', 'https', undefined),
  })
  .map(({ headers, ...rest }) => ({ ...rest, headers: new HeaderList(headers.flat()) }));
