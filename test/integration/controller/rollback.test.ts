import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { PinnedSet } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';
import type { StandInOptions } from './main-stand-in.ts';

interface Generation {
  readonly generation: number;
  readonly result: string;
  readonly rollbackOf?: number;
  readonly changes: readonly { readonly key: string }[];
}

describe('rollback', () => {
  const cleanup = cleanupAfterEach();

  function start(files: Readonly<Record<string, string>>, options: Partial<StandInOptions> = {}) {
    const dir = tempDir(cleanup);
    const write = (name: string, text: string): void => {
      writeFileSync(join(dir, `.${name}`), text);
      renameSync(join(dir, `.${name}`), join(dir, name));
    };
    for (const [name, text] of Object.entries(files)) write(name, text);
    const main = startMainStandIn(cleanup, { paths: [dir], ...options });
    const last = () => main.statuses.at(-1);
    const generations = async (): Promise<readonly Generation[]> =>
      ((await main.query('generations')) as { generations: readonly Generation[] }).generations;
    /** Edits the route and waits until that is served. */
    const edit = async (prefix: string): Promise<number> => {
      write('a.yaml', routeDocument('a', prefix));
      await eventually(() => {
        expect(prefixOf(main, 'a')).to.equal(prefix);
        expect(last()?.generation).to.equal(main.generation());
      });
      return main.generation();
    };
    return { main, dir, write, last, generations, edit };
  }

  it('serves the old entries under a newer number, until the source has an accepted change', async () => {
    const { main, write, last, generations, edit } = start({ 'b.yaml': routeDocument('b') });
    await eventually(() => expect(main.routes()).to.deep.equal(['b']));
    const good = await edit('/good');
    const entries = new Map(main.entries());
    await edit('/bad');
    const bad = main.generation();
    const { sourceHash } = last() ?? {};

    const done = await main.command('rollback', { generation: good });
    expect(done).to.deep.include({ done: true });
    expect(main.generation()).to.be.above(bad);
    expect([...main.entries()]).to.have.deep.members([...entries]);
    expect(last()).to.deep.include({ result: 'unchanged', sourceHash, generation: main.generation() });
    expect(last()?.servedHash).not.to.equal(sourceHash);
    expect(last()?.pin).to.include({ of: good });
    const newest = (await generations()).at(-1);
    expect(newest).to.deep.include({ generation: main.generation(), rollbackOf: good });
    expect(newest?.changes.map(({ key }) => key)).to.deep.equal(['Route/default/a']);

    // What is refused is no accepted change; nor is the same once more.
    const pinned = main.generation();
    write('broken.yaml', 'kind: [');
    await eventually(() => expect(last()?.problems).to.be.above(0));
    write('b.yaml', routeDocument('b'));
    main.controller.receive({ type: 'Reconcile' });
    const { length } = main.statuses;
    await eventually(() => expect(main.statuses).to.have.length.above(length));
    expect([main.generation(), prefixOf(main, 'a')]).to.deep.equal([pinned, '/good']);
    expect(last()?.pin).to.include({ of: good });

    await edit('/repaired');
    await eventually(() => expect(last()?.pin).to.equal(undefined));
    expect(main.generation()).to.be.above(pinned);
  });

  it('ends when it is resumed, and when its time is up', async () => {
    const { main, last, edit } = start({ 'a.yaml': routeDocument('a') });
    const one = await edit('/one');
    const two = await edit('/two');
    await main.command('rollback', { generation: one });
    expect(prefixOf(main, 'a')).to.equal('/one');
    expect(await main.command('resume')).to.deep.include({ done: true });
    expect([prefixOf(main, 'a'), last()?.pin]).to.deep.equal(['/two', undefined]);
    expect(main.generation()).to.be.above(two);
    await main.command('rollback', { generation: one, forMs: 300 });
    expect(prefixOf(main, 'a')).to.equal('/one');
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/two'));
    await eventually(() => expect(last()?.pin).to.equal(undefined));
  });

  it('changes nothing where the generation is not known, or workers refuse it', async () => {
    let refuses = false;
    const { main, edit } = start(
      { 'a.yaml': routeDocument('a') },
      {
        refuse: () =>
          refuses ? [{ key: 'Listener/default', code: 'AddressInUse', message: 'the port is in use' }] : [],
      },
    );
    const one = await edit('/one');
    await edit('/two');
    expect(await main.command('rollback', { generation: 99 })).to.deep.equal({
      done: false,
      reason: 'UnknownGeneration',
      message: 'generation 99 is not among those that are kept',
    });
    refuses = true;
    expect(await main.command('rollback', { generation: one })).to.deep.equal({
      done: false,
      reason: 'Refused',
      message: 'Listener/default: the port is in use',
    });
    expect(prefixOf(main, 'a')).to.equal('/two');
    expect(main.statuses.at(-1)?.pin).to.equal(undefined);
  });

  it('brings back no secret that was replaced since, and follows those that are replaced meanwhile', async () => {
    const secrets = tempDir(cleanup);
    const file = join(secrets, 'key');
    writeFileSync(file, 'a'.repeat(64));
    const jwt = `jwt: { issuers: [{ issuer: i, secret: { file: ${file} }, algorithms: [HS256] }] }`;
    const { main, write } = start({ 'm.yaml': resourceDocument('Middleware', 'auth', jwt) });
    const secured = (prefix: string): string =>
      `${routeDocument('a', prefix)}  middlewares: [{ name: auth }]\n`;
    const version = (): string =>
      (main.json('Middleware/default/auth') as { keys: { version: string }[] }).keys[0]?.version ?? '';
    write('a.yaml', secured('/one'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/one'));
    const [one, old] = [main.generation(), version()];
    writeFileSync(file, 'b'.repeat(64));
    await eventually(() => expect(version()).not.to.equal(old));
    const replaced = version();
    write('a.yaml', secured('/two'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/two'));

    await main.command('rollback', { generation: one });
    expect([prefixOf(main, 'a'), version()]).to.deep.equal(['/one', replaced]);
    writeFileSync(file, 'c'.repeat(64));
    await eventually(() => expect(version()).not.to.equal(replaced));
    expect(prefixOf(main, 'a')).to.equal('/one');
  });

  it('holds over a restart with a state directory, and is ignored where its file is damaged', async () => {
    const stateDir = join(tempDir(cleanup), 'state');
    const first = start({ 'a.yaml': routeDocument('a') }, { data: { stateDir } });
    const one = await first.edit('/one');
    await first.edit('/two');
    await first.main.command('rollback', { generation: one });
    await first.main.controller.close();
    const file = join(stateDir, 'pin.json');
    const saved = readFileSync(file, 'utf8');

    const again = (): ReturnType<typeof startMainStandIn> =>
      startMainStandIn(cleanup, { paths: [first.dir], data: { stateDir } });
    const second = again();
    await eventually(() => expect(second.statuses.at(-1)?.pin).to.include({ of: one }));
    expect(prefixOf(second, 'a')).to.equal('/one');
    await second.command('resume');
    expect(prefixOf(second, 'a')).to.equal('/two');
    await eventually(() => expect(existsSync(file)).to.equal(false));
    await second.controller.close();

    for (const damaged of [saved.replace('/one', '/ond'), saved.slice(0, -9), '', '{}', '\0'.repeat(99)]) {
      writeFileSync(file, damaged);
      const third = again();
      await eventually(() => expect(third.statuses.at(-1)?.result).to.equal('applied'));
      expect([prefixOf(third, 'a'), third.statuses.at(-1)?.pin]).to.deep.equal(['/two', undefined]);
      await eventually(() => expect(third.logs.map(({ message }) => message)).to.include('state directory'));
      await third.controller.close();
    }
  });

  it('holds when the thread is started again with what it served, and ends there too', async () => {
    const first = start({ 'a.yaml': routeDocument('a') });
    const one = await first.edit('/one');
    await first.edit('/two');
    await first.main.command('rollback', { generation: one });
    const { pin } = first.last() ?? {};
    if (pin === undefined) throw new Error('not pinned');
    const pinned: PinnedSet = { ...pin, entries: [...first.main.entries().values()] };
    await first.main.controller.close();

    const again = startMainStandIn(cleanup, {
      paths: [first.dir],
      data: { servedGeneration: first.main.generation(), pinned },
    });
    await eventually(() => expect(again.statuses.at(-1)?.pin).to.include({ of: one }));
    expect([prefixOf(again, 'a'), again.generation() > first.main.generation()]).to.deep.equal([
      '/one',
      true,
    ]);
    first.write('a.yaml', routeDocument('a', '/three'));
    await eventually(() => expect(prefixOf(again, 'a')).to.equal('/three'));
    await eventually(() => expect(again.statuses.at(-1)?.pin).to.equal(undefined));
  });
});
