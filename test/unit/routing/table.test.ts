import { expect } from 'chai';
import fc from 'fast-check';
import type { Pair } from '../../../src/routing/precedence.ts';
import { RouteError } from '../../../src/routing/rule.ts';
import type { MatchRequest } from '../../../src/routing/rule.ts';
import { buildTable, RoutingTable } from '../../../src/routing/table.ts';
import type { MatchResult } from '../../../src/routing/table.ts';
import type { RouteSnapshot } from '../../../src/snapshot/model.ts';
import { arbitraryRequest, arbitraryRoute, arbitraryRoutes } from './arbitrary-routes.ts';
import { naiveMatch } from './naive-matcher.ts';
import { exact, prefix, regex, request, route, template } from './routes.ts';

const build = (routes: readonly RouteSnapshot[]): RoutingTable<string> =>
  buildTable(routes, ({ name }) => name);

/** What the naive matcher answers too. */
function answer(result: MatchResult<string>): object {
  if (result.kind !== 'matched') return result;
  return { kind: result.kind, route: result.route, matchIndex: result.matchIndex };
}

function targetOf(result: MatchResult<string>): string | undefined {
  return result.kind === 'matched' ? result.target : undefined;
}

function winner(table: RoutingTable<string>, asked: MatchRequest): string {
  const result = table.match(asked);
  return result.kind === 'matched' ? result.target.replace('default/', '') : result.kind;
}

describe('RoutingTable', () => {
  it('answers like a scan over all pairs in order', () => {
    fc.assert(
      fc.property(
        arbitraryRoutes,
        fc.array(arbitraryRequest, { minLength: 20, maxLength: 40 }),
        (routes, requests) => {
          const table = build(routes);
          const pairs = table.pairs();
          for (const asked of requests) {
            expect(answer(table.match(asked))).to.deep.equal(naiveMatch(pairs, routes, asked));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('gives the same answers however it came about, and leaves the tables it came from as they were', () => {
    const change = fc.record({
      set: fc.uniqueArray(arbitraryRoute(fc.nat(9).map((n) => `r${n}`)), {
        selector: ({ name }) => name,
        maxLength: 4,
      }),
      removed: fc.array(
        fc.nat(9).map((n) => `default/r${n}`),
        { maxLength: 3 },
      ),
      rebound: fc.array(
        fc.nat(9).map((n) => `default/r${n}`),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 6 }),
        fc.array(arbitraryRequest, { minLength: 10, maxLength: 20 }),
        (changes, requests) => {
          const ask = (asked: MatchRequest, of: RoutingTable<string>): object => {
            const result = of.match(asked);
            return { ...answer(result), target: targetOf(result) };
          };
          let table = RoutingTable.empty<string>();
          const routes = new Map<string, RouteSnapshot>();
          const seen: { readonly table: RoutingTable<string>; readonly answers: readonly object[] }[] = [];
          const targets = new Map<string, string>();
          for (const { set, removed, rebound } of changes) {
            table = table.change(
              { set, removed, rebound },
              ({ name }) => name,
              (before) => `${before}'`,
            );
            for (const name of removed) routes.delete(name);
            for (const one of set) routes.set(one.name, one);
            for (const { name } of set) targets.set(name, name);
            for (const name of rebound) targets.set(name, `${targets.get(name)}'`);
            const answers = requests.map((asked) => ask(asked, table));
            const fresh = RoutingTable.empty<string>().change(
              { set: [...routes.values()].reverse(), removed: [] },
              ({ name }) => targets.get(name) ?? '',
            );
            expect(answers).to.deep.equal(requests.map((asked) => ask(asked, fresh)));
            expect(table.size).to.equal(routes.size);
            seen.push({ table, answers });
          }
          for (const old of seen)
            expect(requests.map((asked) => ask(asked, old.table))).to.deep.equal(old.answers);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stays right with more hosts, paths and segments than one map holds', () => {
    const many = (from: number, to: number): RouteSnapshot[] =>
      Array.from({ length: to - from }, (_, i) =>
        route(
          `r${from + i}`,
          [exact(`/e/${from + i}`), template(`/t${from + i}/{id}`), regex(`/r${from + i}-[0-9]+`)],
          {
            hostnames: [`h${from + i}.test`, 'a.test'],
          },
        ),
      );
    const first = build(many(0, 1000));
    const second = first.change(
      { set: many(500, 1200), removed: many(0, 100).map(({ name }) => name) },
      ({ name }) => name,
    );
    const asks = (n: number): MatchRequest[] => [
      request(`/e/${n}`),
      request(`/t${n}/7`),
      request(`/r${n}-42`),
      request(`/t${n}/7`, { host: `h${n}.test` }),
    ];
    for (const [table, from, to] of [
      [first, 0, 1000],
      [second, 100, 1200],
    ] as const) {
      for (let n = 0; n < 1300; n++) {
        const expected = n >= from && n < to ? `r${n}` : 'none';
        for (const asked of asks(n)) expect(winner(table, asked)).to.equal(expected);
      }
    }
  });

  it('pauses while it builds many routes', () => {
    const routes = Array.from({ length: 1000 }, (_, i) => route(`r${i}`, [prefix(`/p${i}`)]));
    const steps = RoutingTable.empty<string>().changing({ set: routes, removed: [] }, ({ name }) => name);
    let pauses = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) pauses++;
    expect(pauses).to.be.at.least(19);
    expect(winner(step.value, request('/p999/x'))).to.equal('r999');
  });

  it('falls through to less specific hosts when those of a host do not match', () => {
    const table = build([
      route('any', [prefix('/')]),
      route('wide', [prefix('/w')], { hostnames: ['*.test'] }),
      route('narrow', [prefix('/n')], { hostnames: ['*.a.test'] }),
      route('host', [prefix('/h')], { hostnames: ['b.a.test'] }),
    ]);
    const host = 'b.a.test';
    expect(winner(table, request('/h', { host }))).to.equal('host');
    expect(winner(table, request('/n', { host }))).to.equal('narrow');
    expect(winner(table, request('/w', { host }))).to.equal('wide');
    expect(winner(table, request('/x', { host }))).to.equal('any');
    expect(winner(table, request('/n', { host: 'a.test' }))).to.equal('any');
    expect(winner(table, request('/w', { host: 'test' }))).to.equal('any');
  });

  it('ends a prefix at a segment border, whether it is written with a slash or without', () => {
    const table = build([route('v2', [prefix('/v2')]), route('v3', [prefix('/v3/')])]);
    for (const path of ['/v2', '/v2/', '/v2/x']) expect(winner(table, request(path))).to.equal('v2');
    for (const path of ['/v3', '/v3/', '/v3/x']) expect(winner(table, request(path))).to.equal('v3');
    for (const path of ['/v2example', '/v2.1', '/v', '/'])
      expect(winner(table, request(path))).to.equal('none');
  });

  it('asks templates from left to right with literals first, and goes back where the literal leads nowhere', () => {
    const table = build([
      route('variable', [template('/{a}/b')]),
      route('literal', [template('/a/{b}')]),
      route('deep', [template('/a/{b}/c')]),
      route('deeper', [template('/{a}/b/d')]),
      route('posts', [{ path: template('/x/b'), methods: ['POST'] }]),
    ]);
    expect(winner(table, request('/a/b'))).to.equal('literal');
    expect(winner(table, request('/z/b'))).to.equal('variable');
    expect(winner(table, request('/a/b/c'))).to.equal('deep');
    expect(winner(table, request('/a/b/d'))).to.equal('deeper');
    expect(winner(table, request('/x/b'))).to.equal('variable');
    expect(winner(table, request('/a/'))).to.equal('none');
  });

  it('takes reserved characters and their escapes for the same', () => {
    const table = build([route('all', [exact("/!$&'()*+,:;=@")]), route('rest', [prefix('/')])]);
    expect(winner(table, request('/%21%24%26%27%28%29%2A%2B%2C%3A%3B%3D%40'))).to.equal('all');
    expect(winner(table, request("/!$&'()*+,:;=@"))).to.equal('all');
  });

  it('compares text beyond ASCII with the UTF-8 of a header, whatever the comparison', () => {
    const conditions = [
      { type: 'Exact', value: 'Zürich' },
      { type: 'Prefix', value: 'Zü' },
      { type: 'Regex', value: '^Z[ü]ri..$' },
    ] as const;
    const sent = Buffer.from('Zürich').toString('latin1');
    for (const condition of conditions) {
      const table = build([route('a', [{ headers: [{ name: 'x-city', ...condition }] }])]);
      const found = [sent, 'Zürich', 'Zurich'].map(
        (value) => table.match(request('/', { headers: ['x-city', value] })).kind,
      );
      expect(found, condition.type).to.deep.equal(['matched', 'none', 'none']);
    }
  });

  it('tells what a template captured and which prefix matched, as the request spelled them', () => {
    const table = build([route('t', [template('/users/{id}/files/{name}')]), route('p', [prefix('/c++/x')])]);
    expect(table.match(request('/users/7/files/a%2Bb%20c'))).to.deep.include({
      captures: { id: '7', name: 'a%2Bb%20c' },
      prefix: undefined,
      pattern: '/users/{id}/files/{name}',
    });
    expect(table.match(request('/c++/x/y'))).to.deep.include({ prefix: '/c++/x', captures: {} });
    expect(table.match(request('/c%2B%2B/x/y'))).to.deep.include({ prefix: '/c%2B%2B/x' });
    expect(winner(table, request('/users//files/x'))).to.equal('none');
  });

  it('names the methods of every match that failed by its method alone, and only those', () => {
    const table = build([
      route('a', [{ path: exact('/x'), methods: ['PUT', 'GET'] }]),
      route('b', [{ path: prefix('/x'), methods: ['DELETE'] }]),
      route('c', [
        { path: prefix('/'), methods: ['PATCH'], headers: [{ name: 'x-a', type: 'Present', value: '' }] },
      ]),
      route('d', [{ path: regex('/y'), methods: ['PATCH'] }]),
    ]);
    expect(table.match(request('/x', { method: 'HEAD' }))).to.deep.equal({
      kind: 'method-not-allowed',
      allow: ['DELETE', 'GET', 'PUT'],
    });
    expect(winner(table, request('/z', { method: 'HEAD' }))).to.equal('none');
  });

  it('refuses to be built from a route that cannot be compiled and says which match it is', () => {
    const table = build([route('good', [prefix('/')])]);
    const broken = route('bad', [prefix('/ok'), regex('/(?=x)')]);
    expect(() => table.change({ set: [broken], removed: ['default/good'] }, ({ name }) => name))
      .to.throw(RouteError, 'route default/bad, match 1')
      .with.property('matchIndex', 1);
    expect(winner(table, request('/ok'))).to.equal('good');
    expect(() => build([route('bad', [prefix('/')], { hostnames: ['a b'] })])).to.throw(RouteError, 'a b');
  });
});

describe('RoutingTable, where an upstream may read a path in another way', () => {
  const guarded = { middlewares: ['Middleware/default/jwt'] };
  const table = build([
    route('admin', [prefix('/admin')], guarded),
    route('Reports', [template('/Reports/{id}')], guarded),
    route('public', [prefix('/')]),
  ]);

  it('refuses a request that only thereby misses a route with a middleware', () => {
    const readings = {
      '/ADMIN/x': 'case',
      '/admin;v=1/x': 'parameters',
      '/admin%3Bv=1/x': 'parameters',
      '/admin%3Fx': 'delimiters',
      '/admin%23/x': 'delimiters',
      '/admin%20/x': 'blanks',
      '/%2561dmin/x': 'decoded_twice',
      '/%EF%BD%81dmin/x': 'compatibility',
      '/x/%EF%BC%8E%EF%BC%8E/admin': 'compatibility',
      '/%2541DMIN;x/y': 'combined',
      '/reports/7': 'case',
      '/REPORTS/7': 'case',
    };
    for (const [path, reading] of Object.entries(readings)) {
      expect(table.match(request(path)), path).to.deep.include({ kind: 'ambiguous', reading });
    }
  });

  it('goes by the whole precedence, the hostname first', () => {
    const hosts = build([
      route('admin', [regex('/admin/.*')], { ...guarded, hostnames: ['*.test'] }),
      route('public', [template('/{area}/{page}')]),
      route('own', [exact('/Admin/own')], { hostnames: ['b.a.test'] }),
    ]);
    expect(hosts.match(request('/Admin/x', { host: 'a.test' }))).to.deep.include({ kind: 'ambiguous' });
    expect(winner(hosts, request('/Admin/x', { host: 'other' }))).to.equal('public');
    expect(winner(hosts, request('/Admin/own', { host: 'b.a.test' }))).to.equal('own');
  });

  it('lets paths pass whose other readings lead nowhere else', () => {
    for (const path of [
      '/Users/7',
      '/a;b=c',
      '/a%20b',
      '/100%25',
      '/%E2%84%AB',
      '/xadmin;a',
      '/administrator',
    ]) {
      expect(winner(table, request(path)), path).to.equal('public');
    }
    expect(winner(table, request('/admin/X;y'))).to.equal('admin');
    expect(winner(table, request('/Reports/7'))).to.equal('Reports');
  });

  it('takes paths literally where nothing is passed by', () => {
    const open = build([route('admin', [prefix('/admin')]), route('public', [prefix('/')])]);
    expect(winner(open, request('/ADMIN'))).to.equal('public');
    const all = build([route('admin', [prefix('/admin')], guarded), route('public', [prefix('/')], guarded)]);
    expect(winner(all, request('/ADMIN'))).to.equal('public');
    const specific = build([route('files', [prefix('/My%20Files')]), route('rest', [prefix('/')], guarded)]);
    expect(winner(specific, request('/My%20Files/x'))).to.equal('files');
  });

  it('forgets what a removed route guarded', () => {
    const open = table.change({ set: [], removed: ['default/admin', 'default/Reports'] }, ({ name }) => name);
    expect(winner(open, request('/ADMIN'))).to.equal('public');
    expect(winner(open, request('/reports/7'))).to.equal('public');
  });
});

describe('RoutingTable, where an upstream may not tell a slash at the end from none', () => {
  const guarded = { middlewares: ['Middleware/default/jwt'], guards: [0] };
  const slash = (route: string, reading = 'slash'): object => ({
    kind: 'ambiguous',
    reading,
    route: `default/${route}`,
  });

  it('refuses a request that only thereby misses a route which might refuse it', () => {
    const table = build([
      route('exact', [exact('/admin'), exact('/Reports')], guarded),
      route('folder', [exact('/inner/')], guarded),
      route('template', [template('/users/{id}')], guarded),
      route('regex', [regex('/r[0-9]+')], { ...guarded, priority: 1 }),
      route('area', [prefix('/admin')]),
      route('pages', [template('/{page}/')]),
      route('public', [prefix('/')]),
    ]);
    const refused = {
      '/admin/': slash('exact'),
      '/Reports/': slash('exact'),
      '/inner': slash('folder'),
      '/users/7/': slash('template'),
      '/r7/': slash('regex'),
      '/reports/': slash('exact'),
      '/REPORTS/': slash('exact', 'combined'),
      '/ADMIN/': slash('exact', 'combined'),
      '/admin;x/': slash('exact', 'combined'),
      '/admin/;x': slash('exact', 'combined'),
      '/USERS;v=1/7/': slash('template', 'combined'),
    };
    for (const [path, answer] of Object.entries(refused))
      expect(table.match(request(path)), path).to.deep.equal(answer);
    for (const path of ['/', '/admin/x', '/users/', '/users/7/x', '/inner/x', '/blog/'])
      expect(winner(table, request(path)), path).to.be.oneOf(['area', 'pages', 'public']);
  });

  it('does so in every table for exactly these requests', () => {
    let refused = 0;
    const paths = [
      ...['/a', '/a/', '/a/b', '/a/b/'].map(exact),
      ...['/{v}', '/{v}/', '/a/{v}', '/a/{v}/', '/{v}/b'].map(template),
      ...['/', '/a', '/a/b'].map(prefix),
      ...['/a', '/a/?', '/[ab]/b', '/a/b/'].map(regex),
    ];
    const entry = fc.record({
      path: fc.constantFrom(...paths),
      hostnames: fc.constantFrom([], ['a.test'], ['*.test']),
      priority: fc.constantFrom(0, 0, 0, 1),
      kind: fc.constantFrom('jwt', 'headers', 'both', 'none', 'none'),
    });
    const requests = ['/a', '/a/', '/b', '/b/', '/a/b', '/a/b/', '/b/b/', '/a/c/'].flatMap((path) =>
      ['a.test', 'other'].map((host) => request(path, { host })),
    );
    fc.assert(
      fc.property(fc.array(entry, { minLength: 2, maxLength: 8 }), (entries) => {
        const routes = entries.map(({ path, kind, ...fields }, i) => {
          const jwt = kind === 'jwt' || kind === 'both' ? [`Middleware/default/jwt${i % 2}`] : [];
          const headers = kind === 'headers' || kind === 'both' ? ['Middleware/default/headers'] : [];
          const guards = jwt.length > 0 ? { guards: [headers.length] } : {};
          return route(`r${i}`, [path], { ...fields, middlewares: [...headers, ...jwt], ...guards });
        });
        const table = build(routes);
        const pairs = table.pairs();
        const guardsOf = ({ rule }: Pair<string>): readonly string[] =>
          routes.find(({ name }) => name === rule.route)?.middlewares ?? [];
        for (const sent of requests) {
          const winnerOf = (path: string): Pair<string> | undefined =>
            pairs.find((pair) => naiveMatch([pair], routes, { ...sent, path }).kind === 'matched');
          const open = winnerOf(sent.path);
          if (open === undefined) continue;
          const guarding = winnerOf(sent.path.endsWith('/') ? sent.path.slice(0, -1) : `${sent.path}/`);
          const isPassedBy =
            guarding !== undefined &&
            guarding.rule.route !== open.rule.route &&
            pairs.indexOf(guarding) < pairs.indexOf(open) &&
            guardsOf(guarding).some((name) => name.includes('jwt') && !guardsOf(open).includes(name));
          const [own, others] = [open.rule.path, guarding?.rule.path];
          const isWritten =
            own.kind === 'Exact' ||
            (own.kind === 'Template' &&
              others?.kind === 'Template' &&
              own.text.replace(/\/$/, '') === others.text.replace(/\/$/, ''));
          const result = table.match(sent);
          const isRefused = result.kind === 'ambiguous' && result.reading === 'slash';
          expect(isRefused, `${sent.host}${sent.path}`).to.equal(isPassedBy && !isWritten);
          if (isRefused) refused++;
        }
      }),
      { numRuns: 300 },
    );
    expect(refused).to.be.above(30);
  });

  it('lets pass what somebody has written down with the slash', () => {
    const table = build([
      route('exact', [exact('/admin')], guarded),
      route('landing', [exact('/admin/')]),
      route('user', [template('/users/{id}')], guarded),
      route('profile', [template('/users/{name}/')]),
      route('public', [prefix('/')]),
    ]);
    expect(winner(table, request('/admin/'))).to.equal('landing');
    expect(winner(table, request('/users/7/'))).to.equal('profile');
  });

  it('lets pass what goes before, has the same middlewares, or passes by none that refuses', () => {
    const table = build([
      route('exact', [exact('/admin')], guarded),
      route('headers', [exact('/blog')], { middlewares: ['Middleware/default/headers'] }),
      route('maintenance', [prefix('/')], { priority: 1, hostnames: ['*.test'] }),
      route('public', [prefix('/')]),
      route('signed', [prefix('/admin')], guarded),
    ]);
    expect(winner(table, request('/admin/'))).to.equal('maintenance');
    expect(winner(table, request('/admin/', { host: 'other' }))).to.equal('signed');
    expect(winner(table, request('/blog/', { host: 'other' }))).to.equal('public');
  });

  it('counts a route that is closed for want of a middleware as one that refuses', () => {
    const table = build([
      route('closed', [exact('/admin')], { unsecured: 'Middleware default/jwt does not exist' }),
      route('public', [prefix('/')]),
    ]);
    expect(table.match(request('/admin/'))).to.deep.equal(slash('closed'));
    const open = table.change({ set: [route('closed', [exact('/admin')])], removed: [] }, ({ name }) => name);
    expect(winner(open, request('/admin/'))).to.equal('public');
  });
});
