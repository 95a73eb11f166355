import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';
import type { RunningUpstream } from '../support/upstream.ts';

const secret = 'a secret of at least thirty-two bytes';

describe('rate limiting', () => {
  const cleanup = cleanupAfterAll();
  let upstream: RunningUpstream;
  let gateway: RunningGateway;
  const route = (name: string, middlewares: string): string =>
    routeDocument(
      name,
      `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${upstream.url}" }]`,
    );
  const limit = (text: string): string => `{ rateLimit: { ${text} } }`;
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    request(`${gateway.url}${path}`, { headers });
  /** How many of `times` requests in a row are let through. */
  const admitted = async (path: string, times: number, headers?: Record<string, string>): Promise<number> => {
    let passed = 0;
    for (let i = 0; i < times; i++) if ((await ask(path, headers)).status === 200) passed++;
    return passed;
  };

  before(async () => {
    upstream = await startUpstream(cleanup);
    gateway = await startGateway(cleanup, {
      gatewaySpec: 'trustedProxies: [127.0.0.1]',
      env: { LIMIT_TEST_SECRET: secret },
      files: {
        'routes.yaml': [
          route('refill', limit('requests: 5, per: 1s')),
          route('fields', limit('requests: 6, per: 1m, burst: 2')),
          route('always', limit('requests: 10, per: 1m, headers: Always')),
          route('address', limit('requests: 2, per: 1h')),
          route('header', limit('requests: 2, per: 1h, key: { header: x-tenant }')),
          route('skip', limit('requests: 2, per: 1h, key: { header: x-tenant }, onMissingKey: Skip')),
          route('fallback', limit('requests: 2, per: 1h, key: { header: x-tenant }, onMissingKey: Address')),
          route(
            'claim',
            `{ jwt: { issuers: [{ issuer: test, secret: { env: LIMIT_TEST_SECRET }, algorithms: [HS256] }] } }, ${limit(
              'requests: 2, per: 1h, key: [{ claim: sub }, { route: {} }]',
            )}`,
          ),
        ].join('---\n'),
        'reload.yaml': route('reload', limit('requests: 10, per: 1h')),
      },
    });
  });

  it('lets a burst through, then refuses, then lets through what has come back', async () => {
    const from = performance.now();
    let passed = await admitted('/refill', 10);
    const most = (): number => 5 + Math.floor(((performance.now() - from) / 1000) * 5);
    expect(passed).to.be.within(5, most());
    // Each 200 ms bring one back; never more than burst + rate × time.
    const excesses: number[] = [];
    await eventually(async () => {
      if ((await ask('/refill')).status === 200) passed++;
      excesses.push(passed - most());
      return passed >= 8;
    });
    expect(Math.max(...excesses)).to.be.at.most(0);
    expect(performance.now() - from).to.be.above(400);
  });

  it('says in the 429 when to come back, as problem details, and counts it', async () => {
    expect(await admitted('/fields', 2)).to.equal(2);
    const seen = upstream.requests.length;
    const refused = await ask('/fields');
    expect(refused.status).to.equal(429);
    expect(refused.json()).to.include({ code: 'ERR_RATE_LIMITED', status: 429 });
    // Six a minute: one every ten seconds.
    expect(Number(refused.headers['retry-after'])).to.be.within(5, 10);
    expect(refused.headers['ratelimit-policy']).to.equal('"default";q=6;w=60');
    expect(refused.headers['ratelimit']).to.match(/^"default";r=0;t=(1[5-9]|20)$/);
    expect(upstream.requests.length).to.equal(seen);
    // A worker tells of a new series by message.
    const series =
      'mgateway_middleware_rejections_total{route="default/fields",middleware="default/fields#rateLimit.0",reason="rate_limited"}';
    await eventually(async () => (await gateway.metric(series)) === 1);
    const quiet = await ask('/skip', { 'x-tenant': 'quiet' });
    expect(quiet.headers).to.not.have.any.keys('ratelimit', 'ratelimit-policy', 'retry-after');
    expect((await ask('/always')).headers['ratelimit']).to.match(/^"default";r=9;t=/);
  });

  it('counts clients apart by their address through trusted proxies, not by what they claim', async () => {
    expect(await admitted('/address', 4, { 'x-forwarded-for': '198.51.100.1' })).to.equal(2);
    expect(await admitted('/address', 4, { 'x-forwarded-for': '198.51.100.2' })).to.equal(2);
    // The last address that no trusted proxy has: what stands before it is the client's own word.
    expect(await admitted('/address', 4, { 'x-forwarded-for': '203.0.113.9, 198.51.100.2' })).to.equal(0);
    expect(await admitted('/address', 4, { 'x-forwarded-for': '198.51.100.2, 127.0.0.1' })).to.equal(0);
    // IPv6 by /64.
    expect(await admitted('/address', 4, { 'x-forwarded-for': '2001:db8:1:2::1' })).to.equal(2);
    expect(await admitted('/address', 4, { 'x-forwarded-for': '2001:db8:1:2:ffff::2' })).to.equal(0);
    expect(await admitted('/address', 4, { 'x-forwarded-for': '2001:db8:1:3::1' })).to.equal(2);
  });

  it('counts by header, and does with a missing one what it is told', async () => {
    expect(await admitted('/header', 4, { 'x-tenant': 'a' })).to.equal(2);
    expect(await admitted('/header', 4, { 'x-tenant': 'b' })).to.equal(2);
    const missing = await ask('/header');
    expect(missing.status).to.equal(403);
    expect(missing.json()).to.include({ code: 'ERR_RATE_LIMIT_KEY' });
    expect(await admitted('/skip', 4)).to.equal(4);
    expect(await admitted('/fallback', 4)).to.equal(2);
  });

  it('counts by a claim of the verified token', async () => {
    const as = (sub: string): Record<string, string> => ({
      authorization: `Bearer ${token({ iss: 'test', sub })}`,
    });
    expect(await admitted('/claim', 4, as('ada'))).to.equal(2);
    expect(await admitted('/claim', 4, as('bob'))).to.equal(2);
    expect((await ask('/claim')).status).to.equal(401);
  });

  it('keeps a half-used bucket half used over a reload, and scales it when the limit changes', async () => {
    expect(await admitted('/reload', 5)).to.equal(5);
    // A reload that leaves the limiter as it is.
    await gateway.reload(() =>
      gateway.write(
        'reload.yaml',
        `${route('reload', limit('requests: 10, per: 1h'))}---\n${route('other', '')}`,
      ),
    );
    expect(await admitted('/reload', 1)).to.equal(1);
    // 4 of 10 left; of 20 that is 8.
    await gateway.reload(() => gateway.write('reload.yaml', route('reload', limit('requests: 20, per: 1h'))));
    expect(await admitted('/reload', 20)).to.equal(8);
  });
});

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
