import { expect } from 'chai';
import fc from 'fast-check';
import { parseTarget } from '../../../src/routing/target.ts';
import { buildTable } from '../../../src/routing/table.ts';
import { request as requestTo, route } from '../routing/routes.ts';
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

  it('takes away exactly what a Route with the same prefix matches, however each of them is spelled', async () => {
    const character = fc.constantFrom(...[..."aZ09-._~!$&'()*+,:;=@ ßé中😀"], '%25');
    const segment = fc
      .array(character, { minLength: 1, maxLength: 5 })
      .map((characters) => characters.join(''))
      .filter((text) => !/^[.;]|^%25/.test(text) && !/%25[0-9a-f]/i.test(text));
    const spelled = (text: string, seed: readonly number[]): string =>
      [...text.replaceAll('%25', '%')]
        .map((char, i) => {
          const choice = seed[i % seed.length] ?? 0;
          const isPlain = /^[A-Za-z0-9\-._~!$&'()*+,:;=@/]$/.test(char);
          if (char === '/' || (isPlain && choice > 1)) return char;
          const bytes = [...new TextEncoder().encode(char)];
          const escaped = bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
          return choice % 2 === 0 ? escaped : escaped.toUpperCase();
        })
        .join('');
    const seed = fc.array(fc.nat(5), { minLength: 3, maxLength: 9 });
    let stripped = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        fc.array(segment, { maxLength: 2 }),
        fc.tuple(seed, seed, seed),
        fc.boolean(),
        async (prefix, rest, [one, two, three], slash) => {
          const head = `/${prefix.join('/')}`;
          const tail = rest.map((text) => `/${text}`).join('') + (slash ? '/' : '');
          const table = buildTable([route('r', [{ type: 'Prefix', value: spelled(head, one) }])], () => 'r');
          const target = parseTarget(spelled(head, two) + spelled(tail, two));
          if (target.path === undefined) return;
          expect(table.match(requestTo(target.path)).kind, target.path).to.equal('matched');
          const stripPrefix = spelled(head, three);
          expect(problemsOf('rewrite', { stripPrefix })).to.deep.equal([]);
          const left = parseTarget(spelled(tail === '' ? '/' : tail, two));
          expect(await rewritten({ stripPrefix }, target.path), stripPrefix).to.equal(left.path);
          stripped++;
        },
      ),
      { numRuns: 500 },
    );
    expect(stripped).to.be.above(250);
    expect(await rewritten({ stripPrefix: '/straße' }, '/stra%C3%9Fe/7%2B8')).to.equal('/7%2B8');
    expect(await rewritten({ stripPrefix: '/a@b' }, '/a%40b/%40')).to.equal('/%40');
    expect(await rewritten({ stripPrefix: '/a%40b' }, '/a@b')).to.equal('/');
    expect(await rewritten({ stripPrefix: '/a%2bb' }, '/a%2Bbc')).to.equal('/a%2Bbc');
    expect(await rewritten({ replacePrefix: { prefix: '/%61pi', with: '/v2' } }, '/api/a%2Cb')).to.equal(
      '/v2/a%2Cb',
    );
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
