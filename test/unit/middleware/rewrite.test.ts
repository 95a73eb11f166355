import { expect } from 'chai';
import fc from 'fast-check';
import { build, exchangeOf, problemsOf } from './exchange.ts';

async function rewritten(
  config: unknown,
  path: string,
  captures: Record<string, string> = {},
): Promise<string> {
  const middleware = await build('rewrite', config);
  const exchange = exchangeOf({ path, captures });
  expect(middleware.request?.(exchange)).to.equal(undefined);
  return exchange.path;
}

describe('rewrite', () => {
  it('strips and replaces a prefix on a segment border only', async () => {
    const strip = { stripPrefix: '/users' };
    expect(await rewritten(strip, '/users')).to.equal('/');
    expect(await rewritten(strip, '/users/')).to.equal('/');
    expect(await rewritten(strip, '/users/7/')).to.equal('/7/');
    expect(await rewritten(strip, '/usersx')).to.equal('/usersx');
    expect(await rewritten(strip, '/other/users')).to.equal('/other/users');
    expect(await rewritten({ stripPrefix: '/users/' }, '/users/7')).to.equal('/7');
    expect(await rewritten({ stripPrefix: '/' }, '/users')).to.equal('/users');

    const replace = { replacePrefix: { prefix: '/users', with: '/v2/people' } };
    expect(await rewritten(replace, '/users')).to.equal('/v2/people');
    expect(await rewritten(replace, '/users/7%2F8')).to.equal('/v2/people/7%2F8');
    expect(await rewritten(replace, '/usersx')).to.equal('/usersx');
    expect(await rewritten({ replacePrefix: { prefix: '/', with: '/api' } }, '/users')).to.equal(
      '/api/users',
    );
    expect(await rewritten({ replacePrefix: { prefix: '/users', with: '/' } }, '/users/7')).to.equal('/7');
  });

  it('fills a template with the captures as they were encoded', async () => {
    expect(await rewritten({ path: '/v2/{id}/x-{other}' }, '/users/7', { id: 'a%2Fb', other: 'c' })).to.equal(
      '/v2/a%2Fb/x-c',
    );
    expect(await rewritten({ path: '/fixed' }, '/users/7')).to.equal('/fixed');
  });

  it('answers 500 rather than forward a path with a hole, and says so dry', async () => {
    const middleware = await build('rewrite', { path: '/v2/{constructor}' });
    const exchange = exchangeOf({ path: '/users/7' });
    expect(middleware.request?.(exchange)).to.include({ status: 500, code: 'ERR_REWRITE_NO_CAPTURE' });
    expect(exchange.path).to.equal('/users/7');
    expect(await middleware.decide(exchange)).to.include({ outcome: 'reply' });
  });

  it('always yields one leading slash and no empty or dot segment', async () => {
    const segment = fc.constantFrom('', '.', '..', 'a', 'users', '%2e', 'b.c', '...');
    const path = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`);
    const strip = await build('rewrite', { stripPrefix: '/users' });
    const fill = await build('rewrite', { path: '/v2/{id}/.{id}' });
    fc.assert(
      fc.property(path, segment, (tail, id) => {
        for (const [middleware, given] of [
          [strip, `/users${tail}`],
          [fill, '/x'],
        ] as const) {
          const exchange = exchangeOf({ path: given, captures: { id } });
          void middleware.request?.(exchange);
          expect(exchange.path).to.match(/^\//);
          expect(exchange.path).to.not.match(/\/\/|\/\.\.?(\/|$)/);
        }
      }),
    );
  });

  it('refuses what is not a path', () => {
    for (const path of [
      'users',
      '/a?b',
      '/a#b',
      '/a b',
      '/ü',
      '/%zz',
      '/{}',
      '/{1x}',
      '/a//b',
      '/a/../b',
      '/a/%2E%2e',
    ]) {
      expect(problemsOf('rewrite', { path }), path).to.have.lengthOf(1);
    }
    expect(problemsOf('rewrite', { stripPrefix: '/{id}' })).to.have.lengthOf(1);
    expect(problemsOf('rewrite', { path: '/v2/{id}.json' })).to.deep.equal([]);
    expect(problemsOf('rewrite', { replacePrefix: { prefix: '/a/', with: '/' } })).to.deep.equal([]);
  });
});
