import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { echo, echoed } from '../support/echo.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import type { RequestOptions } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';

describe('routing', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  /** Name of the upstream that answered. */
  const served = async (path: string, options: RequestOptions = {}): Promise<string> =>
    echoed(await request(`${gateway.url}${path}`, options)).name;

  before(async () => {
    const names = ['read', 'write', 'one', 'admin', 'exact', 'wild', 'canary', 'second', 'digits', 'raised'];
    const urls = await Promise.all(
      names.map(async (name) => [name, (await startUpstream(cleanup, echo(name))).url] as const),
    );
    const url = Object.fromEntries(urls);
    const route = (name: string, match: string, more = ''): string =>
      routeDocument(name, `matches: [${match}]\nupstreams: [{ url: "${url[name] ?? ''}" }]\n${more}`);
    gateway = await startGateway(cleanup, {
      files: {
        'routes.yaml': [
          route('read', '{ path: { prefix: /users }, methods: [GET, HEAD] }'),
          route('write', '{ path: { prefix: /users }, methods: [POST] }'),
          route('one', '{ path: { template: "/users/{id}/orders" }, methods: [GET] }'),
          route('admin', '{ path: { exact: /users/admin/orders }, methods: [GET] }'),
          route('exact', '{ path: { prefix: /hosted } }', 'hostnames: [api.example.com]'),
          route('wild', '{ path: { prefix: /hosted } }', 'hostnames: ["*.example.com"]'),
          route(
            'canary',
            '{ path: { prefix: /users }, methods: [GET], headers: [{ name: x-env, exact: canary }] }',
          ),
          route('second', '{ path: { prefix: /users }, methods: [GET], query: [{ name: v, exact: "2" }] }'),
          route('digits', '{ path: { regex: "/orders/[0-9]+" } }'),
          route('raised', '{ path: { prefix: /orders/7 }, methods: [GET] }', 'priority: 10'),
        ].join('---\n'),
      },
    });
  });

  it('routes GET and POST of the same path apart, with the body', async () => {
    expect(await served('/users')).to.equal('read');
    expect(await served('/users/7?full=1')).to.equal('read');
    const posted = echoed(await request(`${gateway.url}/users`, { method: 'POST', body: '{"name":"Ada"}' }));
    expect(posted).to.include({ name: 'write', method: 'POST', url: '/users', body: '{"name":"Ada"}' });
  });

  it('prefers the exact path to the template, and the template to the prefix', async () => {
    expect(await served('/users/admin/orders')).to.equal('admin');
    expect(await served('/users/7/orders')).to.equal('one');
    expect(await served('/users/7/orders/1')).to.equal('read');
  });

  it('ends a prefix at the border of a segment', async () => {
    expect((await request(`${gateway.url}/usersx`)).status).to.equal(404);
    expect(await served('/users/')).to.equal('read');
  });

  it('tells hosts apart: exact, wildcard, none', async () => {
    const host = (name: string): RequestOptions => ({ headers: { host: name } });
    expect(await served('/hosted', host('api.example.com'))).to.equal('exact');
    expect(await served('/hosted', host('API.Example.com:8080'))).to.equal('exact');
    expect(await served('/hosted', host('a.b.example.com'))).to.equal('wild');
    expect((await request(`${gateway.url}/hosted`, host('example.com'))).status).to.equal(404);
    // A host whose own routes do not match still gets those of any host.
    expect(await served('/users', host('api.example.com'))).to.equal('read');
  });

  it('lets header and query conditions win over none', async () => {
    expect(await served('/users', { headers: { 'x-env': 'canary' } })).to.equal('canary');
    expect(await served('/users', { headers: { 'x-env': 'other' } })).to.equal('read');
    expect(await served('/users?v=2')).to.equal('second');
    expect(await served('/users?v=2', { headers: { 'x-env': 'canary' } })).to.equal('canary');
  });

  it('matches whole paths by regular expression, and priority before all', async () => {
    expect(await served('/orders/8')).to.equal('digits');
    expect((await request(`${gateway.url}/orders/8/x`)).status).to.equal(404);
    expect(await served('/orders/7')).to.equal('raised');
    expect(await served('/orders/7', { method: 'PUT' })).to.equal('digits');
  });

  it('answers 404 without a route and 405 with Allow where only the method differs, as problem details', async () => {
    const missing = await request(`${gateway.url}/nowhere`);
    expect(missing.status).to.equal(404);
    expect(missing.headers['content-type']).to.equal('application/problem+json');
    expect(missing.json()).to.include({ status: 404, code: 'ERR_ROUTE_NOT_FOUND' });
    const refused = await request(`${gateway.url}/users`, { method: 'DELETE' });
    expect(refused.status).to.equal(405);
    expect(refused.headers.allow?.split(', ').sort()).to.deep.equal(['GET', 'HEAD', 'POST']);
    expect(refused.json()).to.include({ code: 'ERR_METHOD_NOT_ALLOWED' });
    expect((refused.json() as { requestId: string }).requestId).to.equal(refused.headers['x-request-id']);
  });

  it('counts requests by route, those without one under _none', async () => {
    const none = 'mgateway_requests_total{route="_none",method="GET",code="404"}';
    const before = await gateway.metric(none);
    await request(`${gateway.url}/nowhere/again`);
    expect(await gateway.metric(none)).to.equal(before + 1);
    expect(
      await gateway.metric('mgateway_requests_total{route="default/write",method="POST",code="200"}'),
    ).to.be.at.least(1);
  });
});
