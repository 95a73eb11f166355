import { expect } from 'chai';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { gatewayDocument, routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import type { RunningUpstream } from '../../support/upstream.ts';

describe('broken configuration', () => {
  const cleanup = cleanupAfterEach();
  let upstream: RunningUpstream;
  beforeEach(async () => {
    upstream = await startUpstream(cleanup, 'served');
  });

  const route = (name: string, more = ''): string =>
    routeDocument(
      name,
      `matches: [{ path: { prefix: /${name} } }]\n${more}\nupstreams: [{ url: "${upstream.url}" }]`,
    );
  const middleware = (name: string, spec: string): string =>
    `apiVersion: mgateway.dev/v1alpha1\nkind: Middleware\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
  const jwt = (secret: string): string =>
    middleware('auth', `{ jwt: { issuers: [{ issuer: a, secret: { ${secret} }, algorithms: [HS256] }] } }`);
  const status = async (gateway: RunningGateway, path: string): Promise<number> =>
    (await request(`${gateway.url}${path}`)).status;
  const code = async (gateway: RunningGateway, path: string): Promise<unknown> =>
    ((await request(`${gateway.url}${path}`)).json() as { readonly code: string }).code;

  /** Changes something and waits until the gateway has read it, whatever it made of it. */
  async function read(gateway: RunningGateway, change: () => void): Promise<void> {
    const hash = async (): Promise<string> => /source_hash="(\w*)"/.exec(await gateway.metrics())?.[1] ?? '';
    const before = await hash();
    change();
    await eventually(async () => (await hash()) !== before);
  }

  describe('keeps what ran (G5)', () => {
    const breaks: Readonly<Record<string, (gateway: RunningGateway) => void>> = {
      'a route edited into nonsense': (gateway) =>
        gateway.write('a.yaml', route('a').replace('upstreams:', 'upstream:')),
      'a file that stops in the middle': (gateway) => gateway.write('a.yaml', route('a').slice(0, -30)),
      'a file emptied': (gateway) => gateway.write('a.yaml', ''),
      'a file of comments only': (gateway) => gateway.write('a.yaml', '# nothing here\n'),
      'a file that is not UTF-8': (gateway) => {
        writeFileSync(join(gateway.dir, 'a.yaml'), Buffer.from([0xff, 0xfe, 0x00, 0x80]));
      },
      'the directory gone': (gateway) => renameSync(gateway.dir, `${gateway.dir}-away`),
    };
    for (const [what, breakIt] of Object.entries(breaks)) {
      it(`through ${what}, until it is repaired`, async () => {
        const gateway = await startGateway(cleanup, {
          files: { 'a.yaml': route('a'), 'b.yaml': route('b') },
        });
        cleanup.add(() => rmSync(`${gateway.dir}-away`, { recursive: true, force: true }));
        const refused = async (): Promise<number> =>
          (await gateway.metric('mgateway_config_reloads_total{result="refused"}')) +
          (await gateway.metric('mgateway_config_reloads_total{result="partial"}'));
        const before = await refused();
        breakIt(gateway);
        await eventually(async () => (await refused()) > before);
        expect([await status(gateway, '/a'), await status(gateway, '/b')]).to.deep.equal([200, 200]);
        expect(await gateway.metric('mgateway_config_last_reload_successful')).to.equal(0);
        await gateway.reload(() => {
          if (what === 'the directory gone') renameSync(`${gateway.dir}-away`, gateway.dir);
          gateway.write('a.yaml', route('c'));
        });
        expect([await status(gateway, '/a'), await status(gateway, '/c')]).to.deep.equal([404, 200]);
        await eventually(async () => (await gateway.metric('mgateway_config_last_reload_successful')) === 1);
      });
    }
  });

  it('lets go of what is deleted, and follows what is renamed without a gap', async () => {
    const gateway = await startGateway(cleanup, { files: { 'a.yaml': route('a'), 'b.yaml': route('b') } });
    let gaps = 0;
    let over = false;
    const asking = (async () => {
      while (!over) if ((await status(gateway, '/b')) !== 200) gaps++;
    })();
    await read(gateway, () => renameSync(join(gateway.dir, 'b.yaml'), join(gateway.dir, 'z.yaml')));
    await gateway.reload(() => gateway.remove('a.yaml'));
    over = true;
    await asking;
    expect(gaps).to.equal(0);
    expect([await status(gateway, '/a'), await status(gateway, '/b')]).to.deep.equal([404, 200]);
  });

  it('applies the good half of an edit and keeps the last version of the bad half', async () => {
    const gateway = await startGateway(cleanup, {
      files: { 'all.yaml': [route('a'), route('b')].join('---\n') },
    });
    const bad = route('b').replace('prefix: /b', 'prefix: /other').replace('upstreams:', 'upstream:');
    await gateway.reload(() =>
      gateway.write('all.yaml', [route('a').replace('/a', '/new'), bad].join('---\n')),
    );
    const statuses = await Promise.all(['/new', '/a', '/b', '/other'].map((path) => status(gateway, path)));
    expect(statuses).to.deep.equal([200, 404, 200, 404]);
  });

  describe('never serves a route without the middleware its author wrote down (G5)', () => {
    const guards: Readonly<Record<string, string | undefined>> = {
      'is missing': undefined,
      'is of no known type': middleware('auth', '{ jwtt: {} }'),
      'is not YAML': 'kind: Middleware\nmetadata: { name: auth }\nspec: {',
      'has a key that is not there': jwt('file: /nowhere/secret'),
      'is a module while none are allowed': middleware('auth', '{ module: { path: m.mjs } }'),
    };
    for (const [what, document] of Object.entries(guards)) {
      it(`at the start, when it ${what}: 503 ERR_ROUTE_NOT_SECURED, never open, never 404`, async () => {
        const gateway = await startGateway(cleanup, {
          files: {
            'guarded.yaml': route('guarded', 'middlewares: [{ name: auth }]'),
            'open.yaml': route('open'),
            ...(document === undefined ? {} : { 'auth.yaml': document }),
          },
        });
        expect(await status(gateway, '/open')).to.equal(200);
        expect([await status(gateway, '/guarded'), await code(gateway, '/guarded')]).to.deep.equal([
          503,
          'ERR_ROUTE_NOT_SECURED',
        ]);
        expect(upstream.requests.filter(({ url }) => url === '/guarded')).to.have.length(0);
      });

      it(`on reload, when it ${what}: its last good version holds`, async () => {
        const gateway = await startGateway(cleanup, {
          files: {
            'guarded.yaml': route('guarded', 'middlewares: [{ name: auth }]'),
            'auth.yaml': jwt('env: SECRET'),
          },
          env: { SECRET: 'a-secret-of-thirty-two-characters' },
        });
        expect(await status(gateway, '/guarded')).to.equal(401);
        await read(gateway, () => {
          if (document === undefined) gateway.remove('auth.yaml');
          else gateway.write('auth.yaml', document);
        });
        // A change beside it goes live, and the guard stays.
        await gateway.reload(() => gateway.write('beside.yaml', route('beside')));
        expect([await status(gateway, '/beside'), await status(gateway, '/guarded')]).to.deep.equal([
          200, 401,
        ]);
        expect(upstream.requests.filter(({ url }) => url === '/guarded')).to.have.length(0);
      });
    }

    it('by a Gateway-wide one that is missing: every route answers 503', async () => {
      const gateway = await startGateway(cleanup, {
        files: { 'a.yaml': route('a') },
        gatewaySpec: 'middlewares: [{ name: auth }]',
      });
      expect(await code(gateway, '/a')).to.equal('ERR_ROUTE_NOT_SECURED');
    });
  });

  it('refuses only what depends on a module that throws when it is loaded (G4)', async () => {
    const modules = tempDir(cleanup);
    mkdirSync(modules, { recursive: true });
    writeFileSync(join(modules, 'fine.mjs'), 'export default () => ({ request() {} });');
    writeFileSync(join(modules, 'throws.mjs'), "throw new Error('no licence');");
    writeFileSync(join(modules, 'refuses.mjs'), "export default () => { throw new Error('no options'); };");
    const guarded = (module: string): string =>
      route('guarded', `middlewares: [{ module: { path: ${module} } }]`);
    const gateway = await startGateway(cleanup, {
      files: { 'guarded.yaml': guarded('fine.mjs'), 'a.yaml': route('a') },
      args: ['--modules-dir', modules],
    });
    expect(await status(gateway, '/guarded')).to.equal(200);
    for (const [module, reason] of [
      ['throws.mjs', 'no licence'],
      ['refuses.mjs', 'no options'],
    ] as const) {
      const name = module.slice(0, -4);
      await gateway.reload(() => {
        gateway.write('guarded.yaml', guarded(module).replace('prefix: /guarded', 'prefix: /moved'));
        gateway.write(`${name}.yaml`, route(name));
      });
      await eventually(() => new RegExp(`guarded\\.yaml.*ModuleFailed: ${reason}`).test(gateway.stderr()));
      const statuses = await Promise.all(
        ['/guarded', '/moved', '/a', `/${name}`].map((path) => status(gateway, path)),
      );
      expect(statuses).to.deep.equal([200, 404, 200, 200]);
    }
  });

  it('serves the good documents at the start when all else is broken', async () => {
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': `${gatewayDocument(0).replace('port: 0', 'port: PORT')}`,
        'good.yaml': route('good'),
        'empty.yaml': '',
        'half.yaml': route('half').slice(0, -40),
        'twice.yaml': [route('twice'), route('twice')].join('---\n'),
        'typo.yaml': route('typo').replace('matches', 'match'),
      },
      untilReady: false,
    });
    await eventually(() => gateway.stderr().includes('gateway.yaml:5'));
    gateway.write('gateway.yaml', gatewayDocument(gateway.port));
    await eventually(async () => (await request(`${gateway.admin}/readyz`)).status === 200);
    const statuses = await Promise.all(
      ['/good', '/half', '/twice', '/typo'].map((path) => status(gateway, path)),
    );
    expect(statuses).to.deep.equal([200, 404, 200, 404]);
    for (const file of ['half', 'twice', 'typo'])
      expect(gateway.stderr()).to.match(new RegExp(`${file}\\.yaml:\\d+`));
  });
});

describe('a thousand routes', () => {
  const cleanup = cleanupAfterEach();

  it('go live, one of them changed, all of them changed, half of them gone', async () => {
    const upstream = await startUpstream(cleanup, (incoming, response) =>
      response.end(incoming.headers['x-stamp']),
    );
    const routes = (count: number, stamp: (i: number) => string): string =>
      Array.from({ length: count }, (_, i) =>
        routeDocument(
          `r${i}`,
          `matches: [{ path: { prefix: /r${i} } }]
middlewares: [{ requestHeaders: { set: { x-stamp: ${stamp(i)} } } }]
upstreams: [{ url: "${upstream.url}" }]`,
        ),
      ).join('---\n');
    const gateway = await startGateway(cleanup, { files: { 'all.yaml': routes(1000, () => 'a') } });
    const bodies = async (...numbers: readonly number[]): Promise<readonly string[]> =>
      Promise.all(numbers.map(async (i) => (await request(`${gateway.url}/r${i}`)).body));
    expect(await bodies(0, 500, 999)).to.deep.equal(['a', 'a', 'a']);
    await gateway.reload(() =>
      gateway.write(
        'all.yaml',
        routes(1000, (i) => (i === 500 ? 'b' : 'a')),
      ),
    );
    expect(await bodies(0, 500, 999)).to.deep.equal(['a', 'b', 'a']);
    await gateway.reload(() =>
      gateway.write(
        'all.yaml',
        routes(1000, () => 'c'),
      ),
    );
    expect(await bodies(0, 500, 999)).to.deep.equal(['c', 'c', 'c']);
    await gateway.reload(() =>
      gateway.write(
        'all.yaml',
        routes(500, () => 'c'),
      ),
    );
    expect((await request(`${gateway.url}/r499`)).status).to.equal(200);
    expect((await request(`${gateway.url}/r500`)).status).to.equal(404);
    expect(await gateway.metric('mgateway_config_resources{kind="Route",state="accepted"}')).to.equal(500);
  });
});
