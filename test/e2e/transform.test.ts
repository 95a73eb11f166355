import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { echo, echoed, valuesOf } from '../support/echo.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';
import { request } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';

describe('transformation', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;

  before(async () => {
    const upstream = await startUpstream(cleanup, echo());
    const cookies = await startUpstream(cleanup, (incoming, response) => {
      incoming.resume();
      response.writeHead(200, [
        ['Set-Cookie', 'a=1; Path=/'],
        ['Set-Cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
        ['Link', '</one>; rel=next'],
        ['Link', '</two>; rel=prev'],
        ['Server', 'secret/1.0'],
        ['X-Old', 'kept'],
      ]);
      response.end('{}');
    });
    const keyHash = createHash('sha256').update('let-me-in').digest('hex');
    const route = (name: string, match: string, middlewares: string, url = upstream.url): string =>
      routeDocument(
        name,
        `matches: [${match}]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${url}" }]`,
      );
    gateway = await startGateway(cleanup, {
      args: ['--modules-dir', join(projectRoot, 'examples', 'custom-middleware', 'modules')],
      files: {
        'routes.yaml': [
          route(
            'headers',
            '{ path: { prefix: /headers } }',
            '{ requestHeaders: { set: { x-set: edge }, add: { x-many: third }, remove: [x-internal], rename: { x-from: x-to } } }',
          ),
          route(
            'query',
            '{ path: { prefix: /query } }',
            '{ query: { set: { lang: "a b&c" }, add: { source: gateway }, remove: [debug], rename: { from: to } } }',
          ),
          route(
            'response',
            '{ path: { prefix: /response } }',
            '{ responseHeaders: { set: { x-frame-options: DENY }, add: { link: "</three>; rel=last" }, remove: [server], rename: { x-old: x-new } } }',
            cookies.url,
          ),
          route('strip', '{ path: { prefix: /api } }', '{ rewrite: { stripPrefix: /api } }'),
          route(
            'replace',
            '{ path: { prefix: /v1 } }',
            '{ rewrite: { replacePrefix: { prefix: /v1/users, with: /v2/people } } }',
          ),
          route(
            'template',
            '{ path: { template: "/orders/{id}/items/{item}" } }',
            '{ rewrite: { path: "/items/{item}/of/{id}" } }',
          ),
          route(
            'order',
            '{ path: { prefix: /order } }',
            [
              '{ requestHeaders: { set: { x-order: first } } }',
              '{ requestHeaders: { add: { x-order: second } } }',
              '{ responseHeaders: { add: { x-back: outer } } }',
              '{ responseHeaders: { add: { x-back: inner } } }',
            ].join(', '),
          ),
          route(
            'module',
            '{ path: { prefix: /module } }',
            `{ module: { path: api-key.mjs, options: { keys: { "${keyHash}": ann } } } }`,
          ),
        ].join('---\n'),
      },
    });
  });

  it('sets, adds, removes and renames request headers; repeated ones stay apart', async () => {
    const got = echoed(
      await request(`${gateway.url}/headers`, {
        headers: { 'X-Set': 'mine', 'x-many': ['first', 'second'], 'X-Internal': '1', 'x-from': 'moved' },
      }),
    );
    expect(valuesOf(got.rawHeaders, 'x-set')).to.deep.equal(['edge']);
    expect(valuesOf(got.rawHeaders, 'x-many')).to.deep.equal(['first', 'second', 'third']);
    expect(valuesOf(got.rawHeaders, 'x-internal')).to.deep.equal([]);
    expect(valuesOf(got.rawHeaders, 'x-from')).to.deep.equal([]);
    expect(valuesOf(got.rawHeaders, 'x-to')).to.deep.equal(['moved']);
  });

  it('sets, adds, removes and renames query parameters and leaves the others as they were sent', async () => {
    const got = echoed(
      await request(`${gateway.url}/query?a=%2F&debug=1&lang=de&a=x+y&from=here&lang=en&%64ebug=2&empty`),
    );
    const query = new URLSearchParams(got.url.slice(got.url.indexOf('?')));
    expect(query.getAll('lang')).to.deep.equal(['a b&c']);
    expect(query.getAll('source')).to.deep.equal(['gateway']);
    expect(query.has('debug')).to.equal(false);
    expect(query.get('to')).to.equal('here');
    expect(query.has('from')).to.equal(false);
    expect(got.url).to.include('a=%2F').and.to.include('a=x+y').and.to.include('empty');
  });

  it('changes response headers; every Set-Cookie and repeated field survives in order', async () => {
    const answer = await request(`${gateway.url}/response`);
    expect(answer.status).to.equal(200);
    expect(valuesOf(answer.rawHeaders, 'set-cookie')).to.deep.equal([
      'a=1; Path=/',
      'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
    ]);
    expect(valuesOf(answer.rawHeaders, 'link')).to.deep.equal([
      '</one>; rel=next',
      '</two>; rel=prev',
      '</three>; rel=last',
    ]);
    expect(answer.headers).to.include({ 'x-frame-options': 'DENY', 'x-new': 'kept' });
    expect(answer.headers).to.not.have.any.keys('server', 'x-old');
  });

  it('rewrites the path by prefix and by template captures; the query stays', async () => {
    const forwarded = async (path: string): Promise<string> =>
      echoed(await request(`${gateway.url}${path}`)).url;
    expect(await forwarded('/api/users/7?x=1')).to.equal('/users/7?x=1');
    expect(await forwarded('/api')).to.equal('/');
    expect(await forwarded('/v1/users/7')).to.equal('/v2/people/7');
    expect(await forwarded('/v1/usersx')).to.equal('/v1/usersx');
    expect(await forwarded('/orders/7/items/a%20b?y=2')).to.equal('/items/a%20b/of/7?y=2');
  });

  it('runs request hooks as written and response hooks in reverse', async () => {
    const answer = await request(`${gateway.url}/order`);
    expect(valuesOf(echoed(answer).rawHeaders, 'x-order')).to.deep.equal(['first', 'second']);
    expect(valuesOf(answer.rawHeaders, 'x-back')).to.deep.equal(['inner', 'outer']);
  });

  it("runs a user's own module, both ways", async () => {
    const refused = await request(`${gateway.url}/module`);
    expect(refused.status).to.equal(401);
    expect(refused.json()).to.include({ code: 'ERR_API_KEY' });
    const passed = await request(`${gateway.url}/module`, {
      headers: { 'x-api-key': 'let-me-in', 'x-key-owner': 'forged' },
    });
    expect(valuesOf(echoed(passed).rawHeaders, 'x-key-owner')).to.deep.equal(['ann']);
    expect(echoed(passed).headers).to.not.have.property('x-api-key');
    expect(passed.headers).to.include({ 'x-checked-by': 'api-key' });
  });
});
