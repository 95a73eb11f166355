import { expect } from 'chai';
import type { SimulationRequest } from '../../../src/simulation/request.ts';
import { createSimulator } from '../../../src/simulation/simulator.ts';
import type { Simulation } from '../../../src/simulation/simulation.ts';
import { loadText } from '../../support/load-text.ts';
import { resourceDocument } from '../../support/resource-document.ts';

const jwt = `jwt:
  issuers: [{ issuer: "https://idp/", secret: { env: S }, algorithms: [HS256] }]
  claimsToHeaders: { sub: x-user-id }
  require: { claims: { roles: { contains: admin } } }`;
const documents = [
  resourceDocument(
    'Gateway',
    'g',
    `listeners: [{ name: http, port: 8080 }]
trustedProxies: [10.0.0.0/8]
middlewares: [{ requestHeaders: { set: { x-gateway: edge } } }]`,
  ),
  resourceDocument('Middleware', 'auth', jwt),
  resourceDocument('Middleware', 'mine', 'module: { path: mine.mjs }'),
  resourceDocument(
    'Upstream',
    'v1',
    'endpoints: [{ url: "http://10.0.0.1:1", weight: 3 }, { url: "http://10.0.0.2:1" }]',
  ),
  resourceDocument('Upstream', 'idle', 'endpoints: [{ url: "http://10.0.0.1:1", weight: 0 }]'),
  resourceDocument(
    'Route',
    'users',
    `matches: [{ path: { template: "/users/{id}" } }]
middlewares:
  - name: auth
  - rateLimit: { requests: 1, per: 1s, key: [{ header: x-tenant }] }
  - rewrite: { path: "/v2/{id}" }
  - query: { add: { source: gateway } }
upstreams: [{ name: v1, weight: 3 }, { name: gone }, { url: "http://10.0.0.9:1", weight: 0 }]`,
  ),
  resourceDocument(
    'Route',
    'mine',
    'matches: [{ path: { prefix: /mine } }]\nmiddlewares: [{ name: mine }]\nupstreams: [{ name: v1 }]\nhostHeader: Upstream',
  ),
  resourceDocument(
    'Route',
    'open',
    'matches: [{ path: { prefix: /open } }]\nmiddlewares: [{ name: nope }]\nupstreams: [{ name: v1 }]',
  ),
  resourceDocument(
    'Route',
    'idle',
    'matches: [{ path: { prefix: /idle }, methods: [GET] }]\nupstreams: [{ name: idle }]',
  ),
  resourceDocument(
    'Route',
    'missing',
    'matches: [{ path: { prefix: /missing } }]\nupstreams: [{ name: gone }]',
  ),
];

describe('createSimulator', () => {
  let decide: (request: Partial<SimulationRequest>, skip?: readonly string[]) => Promise<Simulation>;
  before(async () => {
    const simulator = createSimulator((await loadText({ 'a.yaml': documents.join('---\n') })).entries);
    decide = (request, skip = []) =>
      simulator.decide({ method: 'GET', url: 'https://a.test/', ...request }, { skip: new Set(skip) });
  });
  const admin = { sub: '7', roles: ['admin'] };

  it('runs the middlewares dry and in order, and says what the upstream would get', async () => {
    const url = 'https://A.test:8443/users//7?a=1#part';
    const { host, path, query, route, steps, outcome, certain } = await decide({
      url,
      headers: ['X-Tenant', 't', 'x-user-id', 'forged', 'connection', 'x-hop', 'x-hop', '1'],
      claims: admin,
    });
    expect({ host, path, query, certain }).to.deep.equal({
      host: 'a.test',
      path: '/users/7',
      query: 'a=1',
      certain: true,
    });
    expect(route).to.deep.equal({
      name: 'default/users',
      hostname: '',
      matchIndex: 0,
      captures: { id: '7' },
    });
    expect(steps.map(({ type, decision }) => [type, ...decision.notes])).to.deep.equal([
      ['requestHeaders', 'sets x-gateway: edge'],
      ['jwt', 'accepts the claims given', 'sets x-user-id: 7'],
      ['rateLimit', 'takes a token, by header x-tenant'],
      ['rewrite', 'rewrites /users/7 to /v2/7'],
      ['query', 'adds query source=gateway'],
    ]);
    if (outcome.kind !== 'forward') throw new Error(outcome.code);
    expect([outcome.path, outcome.query]).to.deep.equal(['/v2/7', 'a=1&source=gateway']);
    const changes = Object.fromEntries(
      outcome.changes.map(({ name, before, after }) => [name, [before, after]]),
    );
    expect(changes).to.deep.include({
      'x-user-id': [['forged'], ['7']],
      'x-hop': [['1'], []],
      'x-forwarded-for': [[], ['127.0.0.1']],
      'x-forwarded-proto': [[], ['https']],
      'x-gateway': [[], ['edge']],
    });
    expect(
      outcome.upstreams.map(({ name, probability, endpoints, refusal }) => [
        name,
        probability,
        endpoints.map((each) => each.probability),
        refusal?.code,
      ]),
    ).to.deep.equal([
      ['default/v1', 0.75, [0.75, 0.25], undefined],
      ['', 0.25, [], 'ERR_UPSTREAM_MISSING'],
    ]);
  });

  it('ends with the middleware that answers', async () => {
    const missing = await decide({ url: 'http://a.test/users/7' });
    expect(missing.outcome).to.deep.include({
      kind: 'reply',
      status: 401,
      code: 'ERR_JWT_MISSING',
      by: { name: 'default/auth', type: 'jwt' },
    });
    expect(missing.steps).to.have.length(2);
    const poor = await decide({ url: 'http://a.test/users/7', claims: { sub: '7' } });
    expect(poor.outcome).to.include({ status: 403, code: 'ERR_JWT_CLAIMS' });
    const tenant = await decide({ url: 'http://a.test/users/7', claims: admin });
    expect(tenant.outcome).to.include({ status: 403, code: 'ERR_RATE_LIMIT_KEY' });
    const skipped = await decide({ url: 'http://a.test/users/7', claims: admin }, ['rateLimit']);
    expect(skipped.outcome.kind).to.equal('forward');
  });

  it('says what it cannot know: tokens without keys and modules of users, which are never run', async () => {
    const token = ['eyJhbGciOiJIUzI1NiJ9', btoa('{"iss":"https://idp/"}').replaceAll('=', ''), 'c2ln'].join(
      '.',
    );
    const unverified = await decide({
      url: 'http://a.test/users/7',
      headers: ['authorization', `Bearer ${token}`, 'x-tenant', 't'],
    });
    expect([unverified.certain, unverified.outcome.kind]).to.deep.equal([false, 'forward']);
    expect(unverified.steps[1]?.decision).to.deep.include({
      outcome: 'unknown',
      notes: ['the keys are not available here'],
    });
    const mine = await decide({ url: 'http://a.test/mine' });
    expect(mine.certain).to.equal(false);
    expect(mine.steps[1]?.decision.notes[0]).to.include('mine.mjs, which a dry run does not start');
  });

  it('answers as the gateway does where nothing can be forwarded', async () => {
    const codes: Record<string, [number, string]> = {};
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['POST', '/idle'],
      ['GET', '/idle'],
      ['GET', '/missing'],
      ['GET', '/open/x'],
      ['GET', '/a%2fb'],
      ['GET', '/users/../..'],
    ] as const) {
      const { outcome } = await decide({ method, url: `http://a.test${path}` });
      if (outcome.kind === 'reply') codes[`${method} ${path}`] = [outcome.status, outcome.code];
    }
    expect(codes).to.deep.equal({
      'GET /nowhere': [404, 'ERR_ROUTE_NOT_FOUND'],
      'POST /idle': [405, 'ERR_METHOD_NOT_ALLOWED'],
      'GET /idle': [503, 'ERR_NO_HEALTHY_ENDPOINT'],
      'GET /missing': [503, 'ERR_UPSTREAM_MISSING'],
      'GET /open/x': [503, 'ERR_ROUTE_NOT_SECURED'],
      'GET /a%2fb': [400, 'ERR_PATH_REJECTED'],
      'GET /users/../..': [400, 'ERR_PATH_REJECTED'],
    });
    const host = await decide({ url: 'http://a.test/', headers: ['Host', 'a b'] });
    expect(host.outcome).to.include({ status: 400, code: 'ERR_HOST_REJECTED' });
  });

  it('believes forwarding headers of trusted peers alone', async () => {
    const headers = ['x-forwarded-for', '192.0.2.7'];
    expect((await decide({ headers })).clientAddress).to.equal('127.0.0.1');
    expect((await decide({ headers, peer: '10.1.2.3' })).clientAddress).to.equal('192.0.2.7');
  });

  it('builds the next one from what has changed, with the same result as from scratch', async () => {
    const { entries } = await loadText({ 'a.yaml': documents.join('---\n') });
    const { entries: other } = await loadText({
      'a.yaml': [
        ...documents.filter((text) => !/name: (users|auth|missing) /.test(text)),
        resourceDocument('Route', 'new', 'upstreams: [{ name: v1 }]'),
      ].join('---\n'),
    });
    const first = createSimulator(entries);
    for (const url of ['http://a.test/users/7', 'http://a.test/missing', 'http://a.test/idle']) {
      const request = { method: 'GET', url };
      const before = await first.decide(request);
      const next = createSimulator(other, first);
      expect(await next.decide(request)).to.deep.equal(await createSimulator(other).decide(request));
      expect(await createSimulator(entries, next).decide(request)).to.deep.equal(before);
      expect(await first.decide(request)).to.deep.equal(before);
    }
  });

  it('writes what is not ASCII as clients do: UTF-8 in headers and passwords, escapes in paths, ASCII names of hosts', async () => {
    const { host, path, outcome } = await decide({
      url: 'http://ann:пароль@BÜCHER.test:8080/mine/ü\ud800?q=ö',
      headers: ['x-city', 'Zürich 東京'],
    });
    expect([host, path]).to.deep.equal(['xn--bcher-kva.test', '/mine/%C3%BC%EF%BF%BD']);
    if (outcome.kind !== 'forward') throw new Error(outcome.code);
    const latin1 = Buffer.from('Zürich 東京').toString('latin1');
    expect(outcome.headers).to.include.members([
      latin1,
      `Basic ${Buffer.from('ann:пароль').toString('base64')}`,
    ]);
    expect(outcome.query).to.equal('q=%C3%B6');
  });

  it('refuses what nobody could send', async () => {
    for (const request of [
      { url: '/users' },
      { url: 'http:///x' },
      { method: 'A B' },
      { method: 'CONNECT' },
      { headers: ['host', 'a.test', 'Host', 'a.test'] },
      { headers: ['a b', ''] },
      { headers: ['a', '1\r\nb: 2'] },
    ]) {
      const error = await decide(request).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect((error as Error | undefined)?.name, JSON.stringify(request)).to.equal('SimulationRequestError');
    }
  });
});
