import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import type { ConfigToMain } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { prefixOf, routeDocument, startMainStandIn } from './main-stand-in.ts';

const head = 'apiVersion: mgateway.dev/v1alpha1\n';
const gateway = (name: string, spec: string): string =>
  `${head}kind: Gateway\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const middleware = (name: string, spec: string): string =>
  `${head}kind: Middleware\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const secured = (name: string, uses: string, prefix = `/${name}`): string =>
  `${routeDocument(name, prefix)}  middlewares: ${uses}\n`;
const jwt = (file: string): string =>
  `{ jwt: { issuers: [{ issuer: "https://idp", audiences: [a], secret: { file: "${file}" }, algorithms: [HS256] }] } }`;
const setA = '{ requestHeaders: { set: { x-a: "1" } } }';

describe('what the controller decides to serve', () => {
  const cleanup = cleanupAfterEach();

  function start(
    files: Readonly<Record<string, string>>,
    options: Partial<Parameters<typeof startMainStandIn>[1]> = {},
  ) {
    const dir = tempDir(cleanup);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const main = startMainStandIn(cleanup, { paths: [dir], ...options });
    const write = (name: string, text: string): void => {
      writeFileSync(join(dir, `.${name}`), text);
      renameSync(join(dir, `.${name}`), join(dir, name));
    };
    return { dir, main, write, remove: (name: string) => unlinkSync(join(dir, name)) };
  }

  it('answers 503 for a route whose middleware never existed, and serves its neighbours', async () => {
    const { main, write } = start({
      'a.yaml': secured('a', '[{ name: auth }]'),
      'b.yaml': routeDocument('b'),
    });
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    expect(main.json('Route/default/a')).to.include({ unsecured: 'Middleware default/auth does not exist' });
    expect(main.json('Route/default/b')).not.to.have.property('unsecured');
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('partial'));
    write('m.yaml', middleware('auth', setA));
    await eventually(() => expect(main.json('Route/default/a')).not.to.have.property('unsecured'));
    expect(main.json('Route/default/a')).to.deep.include({ middlewares: ['Middleware/default/auth'] });
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('applied'));
  });

  it('keeps the last good version of a route whose middleware is deleted, with that middleware', async () => {
    const { main, write, remove } = start({
      'a.yaml': secured('a', '[{ name: auth }]'),
      'm.yaml': middleware('auth', setA),
    });
    await eventually(() => expect(main.entries().has('Middleware/default/auth')).to.equal(true));
    const before = main.entries();
    remove('m.yaml');
    write('a.yaml', secured('a', '[{ name: auth }]', '/edited'));
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect(main.entries()).to.deep.equal(before);
    const { resources } = (await main.query('resources')) as {
      resources: { state: string; conditions: { type: string; status: string; reason: string }[] }[];
    };
    expect(resources[0]?.state).to.equal('fallback');
    const fallback = resources[0]?.conditions.find(({ type }) => type === 'Fallback');
    expect(fallback).to.include({ status: 'True', reason: 'MiddlewareMissing' });
    // A newcomer has no last good version to stand on, even while the old middleware is still served to others.
    write('n.yaml', secured('n', '[{ name: auth }]'));
    await eventually(() => expect(main.json('Route/default/n')).to.have.property('unsecured'));
  });

  it('gives a shared upstream to all, a missing one 503, and a per-route middleware to each', async () => {
    const { main, write } = start({
      'm.yaml': middleware('own', `{ scope: Route, requestHeaders: { set: { x-a: "1" } } }`),
      'a.yaml': secured('a', '[{ name: own }, { requestHeaders: { set: { x-b: "2" } } }]'),
      'b.yaml': secured('b', '[{ name: own }]').replace('url: "http://127.0.0.1:3000"', 'name: gone'),
    });
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    expect([...main.entries().keys()].filter((key) => key.startsWith('Middleware/'))).to.have.members([
      'Middleware/default/own@default/a',
      'Middleware/default/own@default/b',
      'Middleware/default/a#requestHeaders.0',
    ]);
    expect(main.json('Route/default/b')['upstreams']).to.deep.equal([{ key: null, weight: 1 }]);
    write(
      'u.yaml',
      `${head}kind: Upstream\nmetadata: { name: gone }\nspec: { endpoints: [{ url: "http://127.0.0.1:9" }] }\n`,
    );
    await eventually(() =>
      expect(main.json('Route/default/b')['upstreams']).to.deep.equal([
        { key: 'Upstream/default/gone', weight: 1 },
      ]),
    );
  });

  it('closes a route whose secret is missing, follows its content by version, and never shows it', async () => {
    const secrets = tempDir(cleanup);
    const file = join(secrets, 'key');
    const { main } = start({
      'm.yaml': middleware('auth', jwt(file)),
      'a.yaml': secured('a', '[{ name: auth }]'),
    });
    await eventually(() => expect(main.json('Route/default/a')).to.have.property('unsecured'));
    writeFileSync(file, 'correct-horse-battery-staple-0123456789');
    await eventually(() => expect(main.json('Route/default/a')).not.to.have.property('unsecured'));
    const version = (): unknown =>
      (main.json('Middleware/default/auth')['keys'] as { version: string }[])[0]?.version;
    const first = version();
    writeFileSync(file, 'another-horse-battery-staple-0123456789');
    await eventually(() => expect(version()).not.to.equal(first));
    const second = version();
    rmSync(file);
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect(version()).to.equal(second);
    const everything = JSON.stringify([[...main.entries()], main.logs, await main.query('resources')]);
    expect(everything).not.to.contain('battery');
  });

  it('opens the default listener only where no Gateway is, good or bad', async () => {
    const without = start({ 'a.yaml': routeDocument('a') });
    await eventually(() => expect(without.main.entries().has('Listener/default')).to.equal(true));
    const refused = start({ 'a.yaml': routeDocument('a'), 'g.yaml': gateway('g', '{ listenerz: [] }') });
    const broken = start({ 'a.yaml': routeDocument('a'), 'g.yaml': `${gateway('g', '{')}  [` });
    for (const { main, write } of [refused, broken]) {
      await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
      expect(main.generation(), 'not ready').to.equal(0);
      expect(main.fatals).to.deep.equal([]);
      write('g.yaml', gateway('g', '{ listeners: [{ name: http, port: 9090, address: 127.0.0.1 }] }'));
      await eventually(() => expect(main.entries().has('Listener/http')).to.equal(true));
      expect(main.entries().has('Listener/default')).to.equal(false);
    }
  });

  it('refuses the second Gateway that claims a port, and still runs the middlewares it asks for', async () => {
    const { main } = start({
      'a.yaml': gateway('a', '{ listeners: [{ name: one, port: 9090 }] }'),
      'b.yaml': gateway(
        'b',
        `{ listeners: [{ name: two, port: 9090, address: 127.0.0.1 }], middlewares: [${setA}] }`,
      ),
      'r.yaml': routeDocument('r'),
    });
    await eventually(() => expect(main.routes()).to.deep.equal(['r']));
    expect([...main.entries().keys()].filter((key) => key.startsWith('Listener/'))).to.deep.equal([
      'Listener/one',
    ]);
    expect(main.json('Edge')['middlewares']).to.deep.equal(['Middleware/Gateway/default/b#requestHeaders.0']);
    await eventually(async () => {
      const { problemList } = (await main.query('status')) as { problemList?: { message: string }[] };
      expect(problemList?.[0]?.message).to.match(
        /port 9090 is claimed by listener one of Gateway\/default\/a/,
      );
    });
  });

  it('goes on with all that workers take, and tries the rest again', async () => {
    let busy = true;
    const { main, write } = start(
      {
        'g.yaml': gateway('g', '{ listeners: [{ name: one, port: 9090 }, { name: two, port: 9091 }] }'),
        'a.yaml': routeDocument('a'),
      },
      {
        data: { pollMs: 50 },
        refuse: (entries) => [
          ...(busy && entries.has('Listener/two')
            ? [{ key: 'Listener/two', code: 'AddressInUse', message: 'port 9091 is in use' }]
            : []),
          ...([...entries.values()].some(({ json }) => json.includes('/refused'))
            ? [{ key: 'Route/default/a', code: 'Invalid', message: 'no' }]
            : []),
        ],
      },
    );
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    expect(main.entries().has('Listener/two')).to.equal(false);
    write('a.yaml', routeDocument('a', '/refused'));
    await eventually(() =>
      expect(main.statuses.at(-1)?.resources).to.deep.include({ kind: 'Route', state: 'failed', count: 1 }),
    );
    expect(prefixOf(main, 'a')).to.equal('/a');
    busy = false;
    await eventually(() => expect(main.entries().has('Listener/two')).to.equal(true));
    write('a.yaml', routeDocument('a', '/taken'));
    await eventually(() => expect(prefixOf(main, 'a')).to.equal('/taken'));
    const generations = ((await main.query('generations')) as { generations: { generation: number }[] })
      .generations;
    const numbers = generations.map(({ generation }) => generation);
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
  });

  it('says that it cannot start: nothing to serve, no such directory, a port in use, problems under --strict', async () => {
    const dir = tempDir(cleanup);
    const absent = startMainStandIn(cleanup, { paths: [join(dir, 'absent')] });
    const broken = start({ 'a.yaml': 'kind: Route\n' });
    const strict = start(
      { 'a.yaml': routeDocument('a'), 'b.yaml': 'kind: Route\n' },
      { data: { strict: true } },
    );
    const inUse = start(
      { 'a.yaml': routeDocument('a') },
      {
        refuse: (entries) =>
          entries.has('Listener/default')
            ? [{ key: 'Listener/default', code: 'AddressInUse', message: '0.0.0.0:8080 is in use' }]
            : [],
      },
    );
    for (const main of [absent, broken.main, strict.main, inUse.main]) {
      await eventually(() => expect(main.fatals).to.have.length(1));
      expect(main.generation()).to.equal(0);
    }
    expect(inUse.main.fatals[0]?.message).to.contain('0.0.0.0:8080 is in use');
    expect(absent.fatals[0]?.message).to.contain('does not exist');
  });

  it('under --strict refuses a set with a problem as a whole, and takes it when it is solved', async () => {
    const { main, write } = start({ 'a.yaml': routeDocument('a') }, { data: { strict: true } });
    await eventually(() => expect(main.routes()).to.deep.equal(['a']));
    write('a.yaml', routeDocument('a', '/new'));
    write('b.yaml', 'kind: Route\n');
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect(prefixOf(main, 'a')).to.equal('/a');
    write('b.yaml', routeDocument('b'));
    await eventually(() => expect(main.routes()).to.deep.equal(['a', 'b']));
    expect(prefixOf(main, 'a')).to.equal('/new');
  });

  it('started again after a crash, publishes from nothing above what is served, and nothing unsound', async () => {
    const { main, write } = start(
      { 'a.yaml': routeDocument('a'), 'b.yaml': 'kind: Route\n' },
      { data: { servedGeneration: 7 } },
    );
    await eventually(() => expect(main.statuses.at(-1)?.result).to.equal('refused'));
    expect(main.fatals).to.deep.equal([]);
    expect(main.generation()).to.equal(7);
    write('b.yaml', routeDocument('b'));
    await eventually(() => expect(main.generation()).to.equal(8));
    expect(main.routes()).to.deep.equal(['a', 'b']);
  });

  it('runs as a thread, and ends when told to', async () => {
    const dir = tempDir(cleanup);
    mkdirSync(join(dir, 'config'));
    writeFileSync(join(dir, 'config', 'a.yaml'), routeDocument('a'));
    const worker = new Worker(new URL('../../../src/controller/config-thread.ts', import.meta.url), {
      workerData: { paths: [join(dir, 'config')], strict: false, logLevel: 'info', servedGeneration: 0 },
    });
    cleanup.add(() => worker.terminate());
    const keys: string[] = [];
    const status = await new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message: ConfigToMain) => {
        if (message.type === 'Chunk') {
          keys.push(...message.delta.set.map(({ key }) => key));
          worker.postMessage({ type: 'ChunkTaken', generation: message.delta.generation });
        } else if (message.type === 'Publish') {
          worker.postMessage({ type: 'Published', generation: message.generation, failures: [] });
        } else if (message.type === 'Status') resolve(message.status.result);
      });
    });
    expect(status).to.equal('applied');
    expect(keys).to.include('Route/default/a');
    worker.postMessage({ type: 'Stop' });
    await once(worker, 'exit');
  });
});
