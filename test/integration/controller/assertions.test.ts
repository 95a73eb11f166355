import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';

const routeTest = (name: string, path: string, expected: string): string =>
  resourceDocument('RouteTest', name, `request: { url: "http://any.host${path}" }\nexpect: ${expected}`);
const guarded = resourceDocument(
  'Guard',
  'admin',
  'routes: { pathPrefix: /admin }\nrequire: { middleware: requestHeaders }',
);
const middlewares = '  middlewares: [{ requestHeaders: { set: { x-a: "1" } } }]\n';

describe('assertions before the swap', () => {
  const cleanup = cleanupAfterEach();

  function start(files: Readonly<Record<string, string>>, strict = false) {
    const dir = tempDir(cleanup);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const main = startMainStandIn(cleanup, { paths: [dir], data: { strict } });
    const write = (name: string, text: string): void => {
      writeFileSync(join(dir, `.${name}`), text);
      renameSync(join(dir, `.${name}`), join(dir, name));
    };
    const last = () => main.statuses.at(-1);
    const problems = async (): Promise<readonly { at: string; message: string }[]> =>
      ((await main.query('status')) as { problemList: { at: string; message: string }[] }).problemList.map(
        ({ at, message }) => ({ at: at.slice(dir.length + 1), message }),
      );
    const state = async (key: string): Promise<string | undefined> => {
      const { resources } = (await main.query('resources')) as {
        resources: { kind: string; namespace: string; name: string; state: string }[];
      };
      return resources.find(({ kind, namespace, name }) => `${kind}/${namespace}/${name}` === key)?.state;
    };
    return { main, write, last, problems, state, remove: (name: string) => unlinkSync(join(dir, name)) };
  }

  it('refuse a generation for which a RouteTest fails that holds now, until one of the two gives way', async () => {
    const { main, write, last, problems, remove } = start({
      'a.yaml': routeDocument('a'),
      't.yaml': routeTest('t', '/a/1', '{ route: a }'),
    });
    await eventually(() => expect(last()?.result).to.equal('applied'));
    const before = main.generation();
    write('a.yaml', routeDocument('a', '/moved'));
    await eventually(() => expect(last()?.result).to.equal('refused'));
    expect(await problems()).to.deep.equal([
      {
        at: 't.yaml:6:20',
        message:
          'RouteTest default/t: expected route default/a, but no route takes it: 404 ERR_ROUTE_NOT_FOUND',
      },
    ]);
    // Nothing else of the candidate is served either.
    write('b.yaml', routeDocument('b'));
    await eventually(() =>
      expect(main.statuses.filter(({ result }) => result === 'refused')).to.have.length.above(1),
    );
    expect([main.generation(), prefixOf(main, 'a'), main.routes()]).to.deep.equal([before, '/a', ['a']]);
    remove('t.yaml');
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    expect(prefixOf(main, 'a')).to.equal('/moved');
    // What is served changes at the commit; its report comes behind.
    await eventually(() => expect(last()?.result).to.equal('applied'));
  });

  it('refuse a RouteTest that fails for what is served too, so that later edits go on', async () => {
    const { main, write, last, problems, state } = start({ 'a.yaml': routeDocument('a') });
    await eventually(() => expect(last()?.result).to.equal('applied'));
    write('t.yaml', routeTest('t', '/a', '{ status: 401 }'));
    await eventually(async () => expect(await state('RouteTest/default/t')).to.equal('refused'));
    expect((await problems())[0]?.message).to.include('expected status 401, but route default/a forwards it');
    write('a.yaml', routeDocument('a', '/moved'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/moved'));
    await eventually(() =>
      expect(last()).to.deep.include({ result: 'partial', generation: main.generation() }),
    );
  });

  it('report RouteTests at the first start, and end it under --strict', async () => {
    const files = { 'a.yaml': routeDocument('a'), 't.yaml': routeTest('t', '/a', '{ status: 401 }') };
    const lenient = start(files);
    await eventually(() => expect(lenient.last()?.result).to.equal('partial'));
    expect(lenient.main.routes()).to.deep.equal(['a']);
    const strict = start(files, true);
    await eventually(() => expect(strict.main.fatals).to.have.length(1));
    expect(strict.main.fatals[0]?.problems[0]?.at).to.match(/t\.yaml:6:21$/);
  });

  it('let a Guard refuse only the routes that violate it: their last good version, else 503', async () => {
    const { main, write, last, state } = start({
      'g.yaml': guarded,
      'a.yaml': routeDocument('a', '/admin') + middlewares,
      'b.yaml': routeDocument('b'),
      'c.yaml': routeDocument('c', '/admin/c'),
    });
    await eventually(() => expect(last()?.result).to.equal('partial'));
    expect(main.json('Route/default/c')).to.include({ guard: 'default/admin' });
    expect(main.json('Route/default/a')).not.to.have.property('guard');
    write('a.yaml', routeDocument('a', '/admin/edited'));
    write('b.yaml', routeDocument('b', '/edited'));
    await eventually(() => expect(prefixOf(main, 'b')).to.equal('/edited'));
    expect(prefixOf(main, 'a')).to.equal('/admin');
    expect(main.json('Route/default/a')).to.deep.include({
      middlewares: ['Middleware/default/a#requestHeaders.0'],
    });
    await eventually(async () => expect(await state('Route/default/a')).to.equal('fallback'));
    // A Guard that is new binds what is served: a version that violates it is not good.
    write('g2.yaml', resourceDocument('Guard', 'slow', 'require: { timeout: true }'));
    await eventually(() => expect(main.json('Route/default/b')).to.include({ guard: 'default/slow' }));
    write('b.yaml', `${routeDocument('b', '/edited')}  timeouts: { request: 1s }\n`);
    await eventually(() => expect(main.json('Route/default/b')).not.to.have.property('guard'));
  });
});
