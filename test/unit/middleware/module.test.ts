import { expect } from 'chai';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Middleware } from '../../../src/middleware/contract.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { build, contextOf, exchangeOf, problemsOf } from './exchange.ts';

/** Of let-me-in. */
const sha256 = 'a3ee786b5707c27d42570785081ec17f5c7db9262a01366af362a1aa61a420b9';

describe('module', () => {
  const cleanup = cleanupAfterEach();

  function modulesOf(files: Readonly<Record<string, string>>): string {
    const dir = tempDir(cleanup);
    mkdirSync(join(dir, 'modules'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, 'modules', name), text);
    return join(dir, 'modules');
  }
  const load = (modulesDir: string | undefined, path: string, options?: unknown): Promise<Middleware> =>
    build('module', { path, ...(options !== undefined && { options }) }, contextOf({ modulesDir }));
  const errorOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'no error', String);
  /** A module whose request hook is `body`. */
  const withRequest = (body: string): Promise<Middleware> =>
    load(modulesOf({ 'm.mjs': `export default () => ({ request(exchange) { ${body} } });` }), 'm.mjs');

  it('runs the hooks of the example, with its options', async () => {
    const modulesDir = fileURLToPath(
      new URL('../../../examples/custom-middleware/modules/', import.meta.url),
    );
    expect(await errorOf(load(modulesDir, 'api-key.mjs', { keys: { abcd: 'ann' } }))).to.include('sha256');
    const keys = { ['0'.repeat(64)]: 'bob', [sha256]: 'ann' };
    const { request, response } = await load(modulesDir, 'api-key.mjs', { keys });
    expect(await request?.(exchangeOf({ headers: ['x-api-key', 'wrong'] }))).to.include({
      status: 401,
      code: 'ERR_API_KEY',
    });
    const exchange = exchangeOf({ headers: ['X-Api-Key', 'let-me-in', 'x-key-owner', 'root'] });
    expect(await request?.(exchange)).to.equal(undefined);
    expect(exchange.requestHeaders.raw).to.deep.equal(['x-key-owner', 'ann']);
    const headers = new HeaderList();
    await response?.(exchange, { status: 200, headers });
    expect(headers.get('x-checked-by')).to.equal('api-key');
  });

  it('imports a changed file anew and an unchanged one once', async () => {
    const dir = modulesOf({
      'm.mjs': 'let calls = 0; export default () => ({ request: () => ({ status: 200 + calls++ }) });',
    });
    const statusOf = async (): Promise<unknown> => {
      const reply = await (await load(dir, 'm.mjs')).request?.(exchangeOf());
      return reply?.status;
    };
    expect([await statusOf(), await statusOf()]).to.deep.equal([200, 201]);
    writeFileSync(
      join(dir, 'm.mjs'),
      'export default async () => ({ request: async () => ({ status: 300 }) });',
    );
    expect(await statusOf()).to.equal(300);
  });

  it('refuses what lies outside of the modules directory, links included', async () => {
    const dir = modulesOf({ 'inside.mjs': 'export default () => ({ request() {} });' });
    writeFileSync(join(dir, '..', 'outside.mjs'), 'export default () => ({ request() {} });');
    mkdirSync(join(dir, '..', 'modules-other'));
    writeFileSync(join(dir, '..', 'modules-other', 'm.mjs'), 'export default () => ({ request() {} });');
    symlinkSync(join(dir, '..', 'outside.mjs'), join(dir, 'link.mjs'));
    symlinkSync(join(dir, 'inside.mjs'), join(dir, 'fine.mjs'));
    symlinkSync(join(dir, '..', 'modules-other'), join(dir, 'folder'));
    for (const path of ['link.mjs', '../outside.mjs', 'folder/m.mjs', '../modules-other/m.mjs']) {
      expect(await errorOf(load(dir, path)), path).to.include('leads out of the modules directory');
    }
    expect(await errorOf(load(dir, 'fine.mjs'))).to.equal('no error');
    expect(await errorOf(load(undefined, 'inside.mjs'))).to.include('--modules-dir');
    expect(await errorOf(load(dir, 'missing.mjs'))).to.include('ENOENT');
    expect(problemsOf('module', { path: 'a/../../b.mjs' })).to.have.lengthOf(1);
    expect(problemsOf('module', { path: 'a/b..c.mjs' })).to.deep.equal([]);
  });

  it('refuses a module that makes no middleware', async () => {
    const dir = modulesOf({
      'syntax.mjs': 'export default (',
      'nothing.mjs': 'export const a = 1;',
      'empty.mjs': 'export default () => ({});',
      'wrong.mjs': 'export default () => ({ request: 7 });',
      'throws.mjs': "export default async () => { throw new Error('no licence'); };",
    });
    expect(await errorOf(load(dir, 'syntax.mjs'))).to.include('SyntaxError');
    expect(await errorOf(load(dir, 'nothing.mjs'))).to.include('no default export');
    expect(await errorOf(load(dir, 'empty.mjs'))).to.include('neither a request nor a response hook');
    expect(await errorOf(load(dir, 'wrong.mjs'))).to.include('request is not a function');
    expect(await errorOf(load(dir, 'throws.mjs'))).to.include('no licence');
  });

  it('throws rather than let through what cannot be sent', async () => {
    for (const body of [
      "exchange.requestHeaders.set('x-a', 'b\\r\\nx-admin: 1');",
      "exchange.requestHeaders.add('x a', 'b');",
      "exchange.requestHeaders.add('x-a', 7);",
      "exchange.requestHeaders.add('x-a', '\\u20ac');",
      "exchange.path = '/a b';",
      "exchange.path = 'http://other/';",
      "exchange.path = '/a?b';",
      "exchange.query = 'a\\r\\n';",
      'return { status: 99 };',
      "return { status: '200' };",
      "return { status: 200, reason: 'Whatever the client sent' };",
      "return { status: 200, code: 'x' };",
      "return { status: 200, headers: ['x-a', 'b\\n'] };",
      "return { status: 200, headers: ['x-a'] };",
    ]) {
      const { request } = await withRequest(body);
      expect(() => request?.(exchangeOf()), body).to.throw(TypeError);
      const later = await withRequest(`return (async () => { ${body} })();`);
      expect(await errorOf(later.request?.(exchangeOf()) as Promise<unknown>), body).to.include('TypeError');
    }
    const fine = await withRequest("exchange.path = '/b'; exchange.query = 'x=%20';");
    expect(fine.request?.(exchangeOf())).to.equal(undefined);
    const reply = await withRequest('return { status: 204 };');
    expect(reply.request?.(exchangeOf())).to.deep.equal({
      status: 204,
      code: 'ERR_MODULE_REPLY',
      detail: '',
      reason: 'module',
      headers: [],
    });
  });

  it('may look at an upgrade, but neither makes nor unmakes one', async () => {
    const after = async (status: number, body: string): Promise<number> => {
      const dir = modulesOf({
        'm.mjs': `export default () => ({ response(_exchange, response) { ${body} } });`,
      });
      const head = { status, headers: new HeaderList([]) };
      const { response } = await load(dir, 'm.mjs');
      void response?.(exchangeOf(), head);
      return head.status;
    };
    expect(await after(101, "response.headers.set('x-a', 'b');")).to.equal(101);
    expect(await errorOf(after(101, 'response.status = 200;'))).to.include('TypeError');
    expect(await errorOf(after(200, 'response.status = 101;'))).to.include('TypeError');
  });

  it('is not run dry', async () => {
    const { decide } = await withRequest("throw new Error('ran');");
    expect(await decide(exchangeOf())).to.include({ outcome: 'unknown' });
  });
});
