import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { runDiff } from '../../../src/cli/diff.ts';
import type { DiffOptions } from '../../../src/cli/diff.ts';
import type { DiffReport } from '../../../src/cli/diff-text.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';

const upstream = (name: string, spec: string): string => resourceDocument('Upstream', name, spec);
const one = 'endpoints: [{ url: "http://127.0.0.1:1" }]';
const two = 'endpoints: [{ url: "http://127.0.0.1:1" }, { url: "http://127.0.0.1:2" }]';
const route = (name: string, path: string, spec = ''): string =>
  resourceDocument('Route', name, `matches: [{ path: ${path} }]\nupstreams: [{ name: u }]\n${spec}`);
const limit = (requests: number, key = ''): string =>
  resourceDocument('Middleware', 'limit', `rateLimit: { requests: ${requests}, per: 1s${key} }`);
const header = (name: string, value: string): string =>
  `middlewares: [{ requestHeaders: { set: { ${name}: ${value} } } }]`;

describe('runDiff', () => {
  const cleanup = cleanupAfterEach();
  let dir: string;
  beforeEach(() => (dir = tempDir(cleanup)));

  async function diff(
    from: readonly string[],
    to: readonly string[],
    options: Partial<DiffOptions> & { readonly lines?: readonly string[] } = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    for (const [name, documents] of Object.entries({ old: from, new: to })) {
      mkdirSync(join(dir, name), { recursive: true });
      writeFileSync(join(dir, name, 'a.yaml'), documents.join('---\n'));
    }
    const { lines, ...rest } = options;
    const requests = lines === undefined ? {} : { requests: join(dir, 'requests.jsonl') };
    if (lines !== undefined) writeFileSync(join(dir, 'requests.jsonl'), `${lines.join('\n')}\n`);
    let stdout = '';
    let stderr = '';
    const io = {
      env: {},
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    };
    const paths = { from: join(dir, 'old'), to: join(dir, 'new') };
    const code = await runDiff(paths, { output: 'text', ...requests, ...rest }, io);
    return { code, stdout: stdout.replaceAll(dir, 'DIR'), stderr: stderr.replaceAll(dir, 'DIR') };
  }

  it('sees no change in another order, other words for the same, comments and places', async () => {
    const from = [upstream('u', one), route('a', '{ prefix: /a }'), route('b', '{ prefix: /b }')];
    const to = [
      route('b', '{ prefix: "/b" }', 'priority: 0'),
      `# moved\n${route('a', '{ prefix: /a }')}`,
      upstream('u', one),
    ];
    expect(await diff(from, to)).to.deep.equal({ code: 0, stdout: 'nothing changes\n', stderr: '' });
  });

  it('shows no value that its name or its look gives away as a secret', async () => {
    const from = [upstream('u', one), route('a', '{ prefix: /a }', header('authorization', 'old-secret'))];
    const to = [upstream('u', one), route('a', '{ prefix: /a }', header('authorization', 'new-secret'))];
    const lines = ['{"url": "http://any.host/a"}'];
    for (const output of ['text', 'json'] as const) {
      const { code, stdout } = await diff(from, to, { output, lines });
      expect(code).to.equal(1);
      expect(stdout).to.contain('authorization').and.to.contain('[redacted]');
      expect(stdout).not.to.contain('secret');
    }
  });

  it('says field by field what changes, what comes and what goes, each with its place', async () => {
    const { code, stdout } = await diff(
      [upstream('u', one), route('a', '{ prefix: /a }'), route('gone', '{ prefix: /gone }')],
      [upstream('u', two), route('a', '{ prefix: /v2 }', 'priority: 3'), route('b', '{ exact: /b }')],
    );
    expect(code).to.equal(1);
    expect(stdout.split('\n')).to.deep.equal([
      'changed Route default/a (DIR/new/a.yaml:7:1)',
      '  matches[0].path.value: "/a" → "/v2"',
      '  priority: 0 → 3',
      'added Route default/b (DIR/new/a.yaml:15:1)',
      'removed Route default/gone (DIR/old/a.yaml:14:1)',
      'changed Upstream default/u (DIR/new/a.yaml:1:1)',
      '  endpoints[1]: added {"host":"127.0.0.1","port":2,"tls":false,"url":"http://127.0.0.1:2","weight":1}',
      '',
      'state:',
      '  dropped streams of Route/default/gone: the route goes: what is open is closed after its drain time',
      '  dropped balancer of Upstream/default/u: its definition changes: the balancer starts from the beginning',
      '',
      '1 added, 2 changed, 1 removed',
      '',
    ]);
  });

  it('tells which matches are shadowed that were not, and only those', async () => {
    const old = [
      upstream('u', one),
      route('a', '{ exact: /a/b }'),
      route('x', '{ exact: /x }', 'priority: 1'),
      route('y', '{ exact: /x }'),
    ];
    const { stdout } = await diff(old, [...old, route('all', '{ prefix: /a }', 'priority: 9')], {
      output: 'json',
    });
    expect((JSON.parse(stdout) as DiffReport).conflicts).to.deep.equal([
      {
        kind: 'Shadowed',
        hostname: '',
        route: 'default/a',
        matchIndex: 0,
        by: { route: 'default/all', matchIndex: 0 },
      },
    ]);
  });

  it('tells which state is scaled or dropped by the rules of the running gateway', async () => {
    const routes = [upstream('u', `${two}\nhealthCheck: { path: /h }`), route('a', '{ prefix: /a }')];
    const stateOf = async (before: readonly string[], after: readonly string[]): Promise<unknown[]> => {
      dir = tempDir(cleanup);
      const { state } = JSON.parse((await diff(before, after, { output: 'json' })).stdout) as DiffReport;
      return state.map(({ key, state: what, fate }) => `${fate} ${what} ${key}`);
    };
    const scaled = ['scaled buckets Middleware/default/limit'];
    const used = route('a', '{ prefix: /a }', 'middlewares: [{ name: limit }]');
    const [u = ''] = routes;
    expect(await stateOf([u, used, limit(10)], [u, used, limit(20)])).to.deep.equal(scaled);
    expect(await stateOf([u, used, limit(10)], [u, used, limit(10, ', key: [{ header: x }]')])).to.deep.equal(
      ['dropped buckets Middleware/default/limit'],
    );
    expect(await stateOf([u, used, limit(10)], [u, used, limit(10, ', headers: Always')])).to.deep.equal([]);
    expect(await stateOf([u, used, limit(10)], [u, route('a', '{ prefix: /a }')])).to.deep.equal([
      'dropped buckets Middleware/default/limit',
    ]);
    expect(await stateOf(routes, [upstream('u', one), ...routes.slice(1)])).to.deep.equal([
      'dropped pool Upstream/default/u',
      'dropped health Upstream/default/u',
      'dropped health Upstream/default/u',
      'dropped balancer Upstream/default/u',
    ]);
  });

  it('decides given requests by both, and tells which are decided differently', async () => {
    const lines = [
      '{"method": "GET", "url": "http://any.host/a/1"}',
      '',
      '{"url": "http://any.host/b", "headers": {"x-env": ["canary", "two"]}}',
      '{"url": "http://any.host/none"}',
      '{"url": "http://any.host/h"}',
    ];
    const header = (value: string): string => `middlewares: [{ requestHeaders: { set: { x-a: ${value} } } }]`;
    const { code, stdout } = await diff(
      [upstream('u', one), route('a', '{ prefix: /a }'), route('h', '{ prefix: /h }', header('"1"'))],
      [
        upstream('u', one),
        route(
          'a',
          '{ prefix: /a }',
          'middlewares: [{ jwt: { issuers: [{ issuer: i, jwks: { file: /none } , algorithms: [RS256] }] } }]',
        ),
        resourceDocument(
          'Route',
          'canary',
          'matches: [{ path: { prefix: /b }, headers: [{ name: x-env, prefix: canary }] }]\nupstreams: [{ name: u }]',
        ),
        route('h', '{ prefix: /h }', header('"2"')),
      ],
      { lines },
    );
    expect(code).to.equal(1);
    expect(stdout).to.include(
      [
        'requests: 3 of 4 would be decided differently',
        '  1: GET http://any.host/a/1',
        '    from route default/a: /a/1 to default/u',
        '    to   route default/a: 401 ERR_JWT_MISSING',
        '  3: GET http://any.host/b',
        '    from 404 ERR_ROUTE_NOT_FOUND',
        '    to   route default/canary: /b to default/u',
        '  5: GET http://any.host/h',
        '',
      ]
        .join('\n')
        .trimEnd(),
    );
    expect(stdout).to.include('requestHeaders.x-a[0]: "1" → "2"');
  });

  it('exits with 2 where NEW has a problem, a request cannot be read, or a path is not there', async () => {
    const good = [upstream('u', one), route('a', '{ prefix: /a }')];
    const broken = await diff(good, [upstream('u', one), route('a', '{ prefix: /a }', 'priorty: 1')]);
    expect(broken.code).to.equal(2);
    expect(broken.stderr).to.include('DIR/new/a.yaml:').and.to.include('did you mean');
    expect(broken.stdout).to.equal('');
    for (const [line, message] of [
      ['{"url": 1}', 'requests.jsonl:1: url must be a text'],
      ['{"uri": "http://a/"}', 'requests.jsonl:1: unknown field "uri"'],
      ['{"url": "/a"}', 'requests.jsonl:1: the URL must be absolute'],
      ['{"url": "http://a/", "headers": {"x": 1}}', 'requests.jsonl:1: headers.x must be'],
      ['{', 'requests.jsonl:1: '],
    ] as const) {
      dir = tempDir(cleanup);
      const answer = await diff(good, good, { lines: [line] });
      expect([answer.code, answer.stdout], line).to.deep.equal([2, '']);
      expect(answer.stderr, line).to.include(message);
    }
    dir = tempDir(cleanup);
    expect((await diff(good, good, { requests: join(dir, 'none') })).code).to.equal(2);
  });
});
