import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { Survived } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';
import type { MainStandIn } from './main-stand-in.ts';

const secured = `${routeDocument('s')}  middlewares: [{ name: auth }]\n`;
const auth = resourceDocument('Middleware', 'auth', 'requestHeaders: { set: { x-a: "1" } }');
const broken = 'kind: Route\n  spec: [\n';

describe('a config thread that is started again after a crash', () => {
  const cleanup = cleanupAfterEach();

  function start(files: Readonly<Record<string, string>>) {
    const dir = tempDir(cleanup);
    const write = (name: string, text: string): void => {
      writeFileSync(join(dir, `.${name}`), text);
      renameSync(join(dir, `.${name}`), join(dir, name));
    };
    for (const [name, text] of Object.entries(files)) write(name, text);
    const first = startMainStandIn(cleanup, { paths: [dir] });
    /** Ends the thread without a word, as soon as main holds what `text` is a part of, and starts another. */
    const crash = async (text: string, meanwhile: () => void = () => undefined): Promise<MainStandIn> => {
      const survived = await eventually((): Survived => {
        const found = first.survived();
        if (found === undefined || !Buffer.from(found.state).includes(text)) throw new Error('not kept yet');
        return found;
      });
      await first.controller.close();
      meanwhile();
      const data = { servedGeneration: first.generation(), survived };
      return startMainStandIn(cleanup, { paths: [dir], data });
    };
    return { first, write, remove: (name: string) => unlinkSync(join(dir, name)), crash };
  }

  const stateOf = async (main: MainStandIn, name: string): Promise<string | undefined> => {
    const { resources } = (await main.query('resources')) as { resources: { name: string; state: string }[] };
    return resources.find((resource) => resource.name === name)?.state;
  };

  it('goes on isolating: good edits are served, bad documents keep their last served version', async () => {
    const { first, write, remove, crash } = start({
      'a.yaml': routeDocument('a'),
      'b.yaml': `${routeDocument('b1')}---\n${routeDocument('b2')}`,
      'c.yaml': routeDocument('c'),
      'm.yaml': auth,
      's.yaml': secured,
    });
    await eventually(() => expect(first.routes()).to.deep.equal(['a', 'b1', 'b2', 'c', 's']));
    write('b.yaml', broken);
    remove('m.yaml');
    await eventually(() => expect(first.statuses.at(-1)?.problems).to.be.above(1));
    // Edited well and badly while no thread is there.
    const main = await crash('"Route/default/b1":', () => {
      write('a.yaml', routeDocument('a', '/good'));
      write('c.yaml', routeDocument('c').replace('matches', 'matchs'));
    });
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/good'));
    expect(main.routes()).to.deep.equal(['a', 'b1', 'b2', 'c', 's']);
    expect(main.generation()).to.equal(first.generation() + 1);
    expect(prefixOf(main, 'c')).to.equal('/c');
    expect(main.json('Route/default/s')).to.deep.include({ middlewares: ['Middleware/default/auth'] });
    expect(main.json('Route/default/s')).not.to.have.property('unsecured');
    expect(main.entries().has('Middleware/default/auth')).to.equal(true);
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('partial'));
    for (const name of ['b1', 'b2', 'c', 's']) expect(await stateOf(main, name), name).to.equal('fallback');
    write('b.yaml', routeDocument('b1', '/repaired'));
    await eventually(() => expect(prefixOf(main, 'b1')).to.equal('/repaired'));
    expect(main.routes()).to.deep.equal(['a', 'b1', 'c', 's']);
  });

  it('publishes nothing where nothing changed, and says what is served', async () => {
    const { first, write, crash } = start({ 'a.yaml': routeDocument('a'), 'b.yaml': routeDocument('b') });
    await eventually(() => expect(first.routes()).to.deep.equal(['a', 'b']));
    write('b.yaml', broken);
    await eventually(() => expect(first.statuses.at(-1)?.problems).to.be.above(0));
    const main = await crash('"Route/default/b":');
    await eventually(() => expect(main.statuses).not.to.have.length(0));
    expect(main.generation()).to.equal(first.generation());
    expect(main.statuses[0]).to.include({
      generation: first.generation(),
      servedHash: first.statuses.at(-1)?.servedHash,
    });
    const { routes } = (await main.query('routes')) as { routes: { route: string }[] };
    expect(routes.map(({ route }) => route).sort()).to.deep.equal(['default/a', 'default/b']);
  });

  it('judges RouteTests by what is served, and a broken one freezes nothing', async () => {
    const test = (name: string, route: string): string =>
      resourceDocument(
        'RouteTest',
        name,
        `request: { url: "http://any.host/a/1" }\nexpect: { route: ${route} }`,
      );
    const { first, write, crash } = start({
      'a.yaml': routeDocument('a'),
      'good.yaml': test('good', 'a'),
      'bad.yaml': test('bad', 'z'),
    });
    await eventually(() => expect(first.statuses.at(-1)?.problems).to.equal(1));
    const main = await crash('default/good', () => write('a.yaml', routeDocument('a', '/moved')));
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect([prefixOf(main, 'a'), main.generation()]).to.deep.equal(['/a', first.generation()]);
    write('a.yaml', `${routeDocument('a')}---\n${routeDocument('b')}`);
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
  });

  it('opens no default listener that a Gateway of the same name had closed', async () => {
    const gateway = resourceDocument(
      'Gateway',
      'g',
      'listeners: [{ name: default, port: 8080, address: 0.0.0.0 }]',
    );
    const { first, write, remove, crash } = start({ 'a.yaml': routeDocument('a'), 'g.yaml': gateway });
    await eventually(() => expect(first.routes()).to.deep.equal(['a']));
    const main = await crash('Gateway/default/g', () => {
      remove('g.yaml');
      write('a.yaml', routeDocument('a', '/good'));
    });
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/good'));
    expect(main.entries().has('Listener/default')).to.equal(false);
  });
});
