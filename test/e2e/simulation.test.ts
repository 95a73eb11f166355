import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { before, describe, it } from 'mocha';
import { loadDirectory } from '../../src/controller/load.ts';
import type { Explanation } from '../../src/controller/explain/explanation.ts';
import { createSimulator } from '../../src/simulation/simulator.ts';
import type { Simulation } from '../../src/simulation/simulation.ts';
import { eventually } from '../support/eventually.ts';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { echo, valuesOf } from '../support/echo.ts';
import type { Echoed } from '../support/echo.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { runProgram } from '../support/program.ts';
import { startUpstream } from '../support/upstream.ts';

const secret = 's'.repeat(64);
const upstreamNames = ['u0', 'u1', 'u2'] as const;
const configurations = Number(process.env['SIMULATION_CONFIGURATIONS'] ?? 5);
const seed = Number(process.env['SIMULATION_SEED'] ?? 20_261_123);

// Few words, so that routes and requests meet all the time.
const segment = fc.constantFrom('a', 'b', 'c%20d');
const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const pathCondition = fc.oneof(
  path.map((exact) => ({ exact })),
  path.map((prefix) => ({ prefix })),
  fc.constantFrom('/{x}', '/a/{x}', '/{x}/b').map((template) => ({ template })),
  fc.constantFrom('/a.*', '/[ab]/.+').map((regex) => ({ regex })),
);
const match = fc.record(
  {
    path: pathCondition,
    methods: fc.constantFrom(['GET'], ['POST'], ['GET', 'PUT']),
    headers: fc.constantFrom<object[]>(
      [{ name: 'x-env', exact: 'canary' }],
      [{ name: 'x-city', exact: 'Zürich' }],
      [{ name: 'x-city', regex: '^Z.rich' }],
    ),
    query: fc.constant([{ name: 'v', present: true }]),
  },
  { requiredKeys: ['path'] },
);
const middleware = fc.oneof(
  fc.constantFrom<object>(
    { name: 'auth' },
    { name: 'gone' },
    { requestHeaders: { set: { 'x-set': 'ä' }, remove: ['x-env'], rename: { 'x-old': 'x-new' } } },
    { rewrite: { stripPrefix: '/a' } },
    { rewrite: { replacePrefix: { prefix: '/b', with: '/bb' } } },
    { rewrite: { path: '/captured/{x}' } },
    { query: { add: { source: 'gateway' }, remove: ['v'] } },
    { rateLimit: { requests: 1_000_000, per: '1s', key: [{ header: 'x-tenant' }] } },
  ),
);
const route = fc.record(
  {
    priority: fc.constantFrom(0, 0, 1),
    hostnames: fc.subarray(['a.test', '*.a.test'], { minLength: 1 }),
    matches: fc.array(match, { minLength: 1, maxLength: 3 }),
    middlewares: fc.array(middleware, { maxLength: 3 }),
    upstreams: fc.constantFrom<object[]>(
      [{ name: 'u0' }],
      [{ name: 'u1' }],
      [{ name: 'u1' }, { name: 'u2', weight: 0 }],
      [{ name: 'nowhere' }],
      [{ name: 'u2', weight: 0 }],
    ),
  },
  { requiredKeys: ['matches', 'upstreams'] },
);
const asked = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  host: fc.constantFrom('a.test', 'B.a.test:80', 'other', 'bad..host'),
  path: fc.oneof(path, fc.constantFrom('//a/./b', '/A', '/a/../b', '/a%2fb', '/%61/b', '/a;x/b', '/../a')),
  query: fc.constantFrom('', '?v=1', '?x=1&v', '?%76=2'),
  headers: fc.subarray<[string, string]>([
    ['X-Env', 'canary'],
    ['x-city', 'Zürich'],
    ['x-old', 'o'],
    ['x-tenant', 't'],
    ['x-forwarded-for', '192.0.2.1'],
    ['x-user-id', 'forged'],
  ]),
  signedIn: fc.boolean(),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

/** Fields that the transport writes, and the token that claims stand in for. */
const ignored = new Set(['connection', 'authorization', 'x-request-id']);

describe('the simulation', function () {
  this.timeout(60_000);
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;

  before(async () => {
    const origins = await Promise.all(
      upstreamNames.map(async (name) => [name, (await startUpstream(cleanup, echo(name))).url] as const),
    );
    const fixed = [
      ...origins.map(([name, url]) => resource('Upstream', name, { endpoints: [{ url }] })),
      resource('Middleware', 'auth', {
        jwt: {
          issuers: [{ issuer: 'idp', secret: { env: 'SIMULATION_SECRET' }, algorithms: ['HS256'] }],
          claimsToHeaders: { sub: 'x-user-id' },
        },
      }),
    ];
    gateway = await startGateway(cleanup, {
      files: { 'fixed.json': list(fixed) },
      env: { SIMULATION_SECRET: secret },
      gatewaySpec:
        'generationHeader: x-generation\nmiddlewares: [{ requestHeaders: { set: { x-wide: "1" } } }]',
    });
  });

  it('decides random requests by random configurations as the running gateway does', async () => {
    let forwarded = 0;
    let replied = 0;
    const sets = fc.sample(fc.array(route, { minLength: 3, maxLength: 10 }), {
      numRuns: configurations,
      seed,
    });
    for (const [round, specs] of sets.entries()) {
      const routes = specs.map((spec, i) => resource('Route', `r${i}`, spec));
      // A route of its own each time: equal sets would make no new generation.
      routes.push(
        resource('Route', `round-${round}`, {
          matches: [{ path: { exact: `/round/${round}` } }],
          upstreams: [{ name: 'u0' }],
        }),
      );
      // Everything goes and comes anew, so that no route has a last good version.
      await gateway.reload(() =>
        gateway.write(
          'routes.json',
          list([resource('Upstream', 'filler', { endpoints: [{ url: 'http://127.0.0.1:1' }] })]),
        ),
      );
      await gateway.reload(() => gateway.write('routes.json', list(routes)));
      const generation = String(await gateway.generation());
      const { entries } = await loadDirectory([gateway.dir], { offline: true, caps: { restMs: 0 } });
      const simulator = createSimulator(entries);
      for (const each of fc.sample(asked, { numRuns: 60, seed: seed + round })) {
        const simulation = await simulator.decide({
          method: each.method,
          url: `http://a.test${each.path}${each.query}`,
          headers: ['host', each.host, ...each.headers.flat(), 'content-length', '0'],
          ...(each.signedIn && { claims: { iss: 'idp', sub: '7' } }),
        });
        const answer = await send(gateway, each);
        const context = `seed ${seed}, round ${round}: ${JSON.stringify(each)}\n${JSON.stringify(simulation.outcome)}\n${answer.status} ${answer.body}`;
        expect(answer.headers['x-generation'], context).to.equal(generation);
        if (simulation.outcome.kind === 'forward') forwarded++;
        else replied++;
        compare(simulation, answer, context);
      }
    }
    // Neither side of the comparison may be empty.
    expect(forwarded).to.be.greaterThan(configurations);
    expect(replied).to.be.greaterThan(configurations);
  });

  it('explains requests by what is served, over GET and POST, and sends nothing upstream', async () => {
    const text = list([
      resource('Route', 'told', {
        matches: [{ path: { prefix: '/told' } }],
        middlewares: [{ name: 'auth' }],
        upstreams: [{ name: 'u1' }],
      }),
    ]);
    await gateway.reload(() => gateway.write('routes.json', text));
    const sent = async (): Promise<readonly string[]> =>
      (await gateway.metrics()).match(/^mgateway_upstream_requests_total.*$/gm) ?? [];
    const before = await sent();
    const url = `${gateway.admin}/api/v1/explain`;
    const got = await request(`${url}?url=${encodeURIComponent('http://a.test/told')}`);
    expect(got.json()).to.deep.include({
      summary: 'route default/told answers 401 ERR_JWT_MISSING by default/auth',
    });
    const posted = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        url: 'http://a.test/told',
        claims: { sub: '7' },
        headers: ['authorisation: none'],
      }),
    });
    const explanation = posted.json() as Explanation;
    expect(explanation.summary).to.equal('route default/told forwards it to default/u1');
    expect(explanation.middlewares.map(({ usedAt }) => usedAt.replace(/^.*\//, ''))).to.deep.equal([
      'gateway.yaml:7:17',
      `routes.json:1:${text.indexOf('{"name":"auth"}') + 1}`,
    ]);
    const command = [
      'explain',
      '--admin',
      gateway.admin.slice('http://'.length),
      'curl',
      'http://a.test/told',
    ];
    const told = await runProgram(cleanup, command);
    expect(told.stdout).to.include('answer 401 ERR_JWT_MISSING by default/auth');
    for (const [body, type] of [
      ['{', 'application/json'],
      ['{"url":"x"}', 'application/json'],
      [`{"url":"http://a","claims":[1]}`, 'application/json'],
      [`{"url":"http://a","method":"CONNECT"}`, 'application/json'],
      [`{"url":"http://a","headers":["host: a","host: b"]}`, 'application/json'],
      [`"${'x'.repeat(70_000)}"`, 'application/json'],
      ['{"url":"http://a"}', 'text/plain'],
    ] as const) {
      const refused = await request(url, { method: 'POST', headers: { 'content-type': type }, body });
      expect(refused.status, body.slice(0, 40)).to.equal(type === 'text/plain' ? 415 : 400);
    }
    expect(await sent()).to.deep.equal(before);
  });

  it('names the route under which the gateway counts a request', async () => {
    await gateway.reload(() =>
      gateway.write(
        'routes.json',
        list([
          resource('Route', 'counted', {
            matches: [{ path: { prefix: '/counted' } }],
            upstreams: [{ name: 'u0' }],
          }),
          resource('Route', 'guarded', {
            matches: [{ path: { prefix: '/guarded' } }],
            upstreams: [{ name: 'u0' }],
          }),
          resource('Guard', 'g', { routes: { pathPrefix: '/guarded' }, require: { middleware: 'jwt' } }),
        ]),
      ),
    );
    const { entries } = await loadDirectory([gateway.dir], { offline: true, caps: { restMs: 0 } });
    const simulator = createSimulator(entries);
    for (const [target, code] of [
      ['/counted/1', 200],
      ['/guarded/1', 503],
    ] as const) {
      const simulation = await simulator.decide({ method: 'GET', url: `http://a.test${target}` });
      const series = `mgateway_requests_total{route="${simulation.route?.name ?? '_none'}",method="GET",code="${code}"}`;
      const answer = await request(gateway.url + target);
      expect(answer.status).to.equal(code);
      await eventually(async () => expect(await gateway.metric(series)).to.equal(1));
      if (simulation.outcome.kind === 'reply')
        expect(answer.json()).to.include({ code: simulation.outcome.code });
    }
  });
});

function send(
  gateway: RunningGateway,
  { method, host, path: target, query, headers, signedIn }: Asked,
): Promise<Answer> {
  return request(`${gateway.url}${target}${query}`, {
    method,
    headers: {
      host,
      // Node writes latin1; clients write UTF-8.
      ...Object.fromEntries(headers.map(([name, value]) => [name, Buffer.from(value).toString('latin1')])),
      'content-length': '0',
      ...(signedIn && { authorization: `Bearer ${token({ iss: 'idp', sub: '7' })}` }),
    },
  });
}

function compare({ outcome }: Simulation, answer: Answer, context: string): void {
  if (outcome.kind === 'reply') {
    expect([answer.status, (answer.json() as { code?: string }).code], context).to.deep.equal([
      outcome.status,
      outcome.code,
    ]);
    return;
  }
  expect(answer.status, context).to.equal(200);
  const got = answer.json() as Echoed;
  expect(
    outcome.upstreams.map(({ name }) => name),
    context,
  ).to.deep.equal([`default/${got.name}`]);
  expect(got.url, context).to.equal(outcome.path + (outcome.query === '' ? '' : `?${outcome.query}`));
  const names = [...got.rawHeaders, ...outcome.headers]
    .filter((_, i) => i % 2 === 0)
    .map((name) => name.toLowerCase());
  for (const name of new Set(names)) {
    if (!ignored.has(name))
      expect(valuesOf(got.rawHeaders, name), `${name} ${context}`).to.deep.equal(
        valuesOf(outcome.headers, name),
      );
  }
}

function resource(kind: string, name: string, spec: object): object {
  return { apiVersion: 'mgateway.dev/v1alpha1', kind, metadata: { name }, spec };
}

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

function token(claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
