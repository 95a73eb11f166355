import { expect } from 'chai';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Condition } from '../../../src/controller/status/conditions.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { gatewayDocument, routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { smallFileSystem } from '../../support/mounts.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';

interface Listed {
  readonly resources: readonly {
    readonly name: string;
    readonly state: string;
    readonly conditions: readonly Condition[];
  }[];
}

describe('--state-dir', () => {
  const cleanup = cleanupAfterEach();

  async function setUp(): Promise<{
    readonly dir: string;
    readonly state: string;
    readonly port: number;
    readonly start: (env?: Readonly<Record<string, string>>) => Promise<RunningGateway>;
    readonly route: (name: string, more?: string) => string;
    readonly saved: () => Promise<string>;
  }> {
    const upstream = await startUpstream(cleanup, 'here');
    const port = await freePort();
    const dir = tempDir(cleanup);
    const state = join(tempDir(cleanup), 'state');
    writeFileSync(join(dir, 'gateway.yaml'), gatewayDocument(port));
    return {
      dir,
      state,
      port,
      start: (env = {}) => startGateway(cleanup, { dir, port, args: ['--state-dir', state], env }),
      route: (name, more = '') =>
        routeDocument(
          name,
          `matches: [{ path: { prefix: /${name} } }]\n${more}\nupstreams: [{ url: "${upstream.url}" }]`,
        ),
      saved: () => eventually(() => readFileSync(join(state, 'last-good.json'), 'utf8')),
    };
  }

  it('serves the last good version of a file that is broken at the start, and says since when', async () => {
    const { dir, start, route, saved } = await setUp();
    writeFileSync(join(dir, 'a.yaml'), `${route('one')}---\n${route('two')}`);
    writeFileSync(join(dir, 'b.yaml'), route('three'));
    writeFileSync(join(dir, 'c.yaml'), `${route('four')}---\n${route('five')}`);
    const first = await start();
    await eventually(async () => (await saved()).includes('name: five'));
    writeFileSync(join(dir, 'a.yaml'), `${route('one')}---\nkind: [`);
    await eventually(
      async () => (await first.metric('mgateway_config_resources{kind="Route",state="fallback"}')) === 2,
    );
    const since = await fallbackOf(first, 'two');
    expect(since).to.be.closeTo(Date.now() / 1000, 30);
    await eventually(async () => (await saved()).includes('"Route/default/two":'));
    await first.stop();

    // Gone while nobody looked: not revived. No longer held by a good file: neither.
    rmSync(join(dir, 'b.yaml'));
    writeFileSync(join(dir, 'c.yaml'), route('four'));
    const second = await start();
    const answers = await Promise.all(
      ['one', 'two', 'three', 'four', 'five'].map(
        async (name) => (await request(`${second.url}/${name}`)).status,
      ),
    );
    expect(answers).to.deep.equal([200, 200, 404, 200, 404]);
    expect(await fallbackOf(second, 'two')).to.equal(since);
    expect(await fallbackOf(second, 'four')).to.equal(undefined);

    writeFileSync(join(dir, 'a.yaml'), route('one'));
    await eventually(async () => (await request(`${second.url}/two`)).status === 404);
    expect(await fallbackOf(second, 'one')).to.equal(undefined);
    await second.stop();
  });

  it('reports a damaged state file, serves what there is, and writes it anew', async () => {
    const { dir, state, start, route, saved } = await setUp();
    writeFileSync(join(dir, 'a.yaml'), route('one'));
    mkdirSync(state);
    writeFileSync(
      join(state, 'last-good.json'),
      '{"format":"mgateway-state","version":1,"sha256":"00"}\n{}\n',
    );
    const gateway = await start();
    expect((await request(`${gateway.url}/one`)).status).to.equal(200);
    expect(gateway.output()).to.contain('is damaged: its checksum is wrong');
    await eventually(async () => (await saved()).includes('name: one'));
    expect(statSync(join(state, 'last-good.json')).mode & 0o777).to.equal(0o600);
    expect(readdirSync(state).sort()).to.deep.equal(['history.jsonl', 'last-good.json']);
    await gateway.stop();
  });

  it('goes on without a state directory that cannot be written, and says so', async () => {
    const { dir, state, start, route } = await setUp();
    writeFileSync(join(dir, 'a.yaml'), route('one'));
    writeFileSync(state, 'a file in its place');
    const gateway = await start();
    await eventually(() => gateway.output().includes('the last good documents cannot be written'));
    await gateway.reload(() => writeFileSync(join(dir, 'a.yaml'), route('two')));
    expect((await request(`${gateway.url}/two`)).status).to.equal(200);
    const { body } = await request(`${gateway.admin}/api/v1/status`);
    expect(body).to.contain('cannot be written');
    await gateway.stop();
  });

  it('serves on while its disk is full, says so everywhere, and saves again when there is room', async function () {
    const { dir, state, port, route } = await setUp();
    mkdirSync(state);
    const mounted = smallFileSystem(state, 256 * 1024);
    if (mounted === undefined) {
      console.warn('      SKIPPED: no permission to mount a file system (root, or user namespaces)');
      this.skip();
    }
    writeFileSync(join(dir, 'a.yaml'), route('one'));
    const gateway = await startGateway(cleanup, { dir, port, args: ['--state-dir', state], ...mounted });
    const seen = (name: string): string => join(`/proc/${gateway.process.pid}/root${state}`, name);
    const failing = (): Promise<number> => gateway.metric('mgateway_config_state_failing');
    const warnings = async (): Promise<string> => {
      const status = (await request(`${gateway.admin}/api/v1/status`)).json() as { warnings: unknown };
      return JSON.stringify(status.warnings);
    };
    await eventually(() => expect(readFileSync(seen('last-good.json'), 'utf8')).to.contain('name: one'));
    fillDisk(seen('filler'));
    await gateway.reload(() => writeFileSync(join(dir, 'a.yaml'), route('two', `# ${'x'.repeat(16_000)}`)));
    expect((await request(`${gateway.url}/two`)).status).to.equal(200);
    await eventually(async () => expect(await failing()).to.equal(1));
    const message = /last-good\.json.*cannot be written: no space left on the device/;
    expect(await warnings()).to.match(message);
    await eventually(() => expect(gateway.output()).to.match(message));
    // What was there stays whole.
    expect(readFileSync(seen('last-good.json'), 'utf8')).to.contain('name: one');

    rmSync(seen('filler'));
    await eventually(() => expect(readFileSync(seen('last-good.json'), 'utf8')).to.contain('name: two'));
    await eventually(async () => expect(await failing()).to.equal(0));
    expect(await warnings()).to.equal('[]');
    await eventually(() => expect(gateway.output()).to.contain('state directory is written again'));
    const generations = readFileSync(seen('history.jsonl'), 'utf8').trimEnd().split('\n').slice(1);
    expect(generations).to.have.length(2);
    await gateway.stop();
  });

  it('keeps no secret', async () => {
    const { dir, start, route, saved } = await setUp();
    const file = join(tempDir(cleanup), 'secret');
    writeFileSync(file, 'from-a-file-0123456789abcdef0123456789');
    const jwt = (source: string): string =>
      `middlewares: [{ jwt: { issuers: [{ issuer: "https://i.test/", audiences: [a], secret: { ${source} }, algorithms: [HS256] }] } }]`;
    writeFileSync(
      join(dir, 'a.yaml'),
      `${route('one', jwt(`file: ${file}`))}---\n${route('two', jwt('env: TEST_SECRET'))}`,
    );
    const gateway = await start({ TEST_SECRET: 'from-the-environment-0123456789abcdef' });
    expect((await request(`${gateway.url}/two`)).status).to.equal(401);
    await eventually(async () => (await saved()).includes('TEST_SECRET'));
    expect(await saved()).not.to.match(/from-(a-file|the-environment)/);
    await gateway.stop();
  });
});

/** Leaves not a byte. */
function fillDisk(path: string): void {
  for (let size = 64 * 1024; size > 0; size = Math.floor(size / 2)) {
    for (;;) {
      try {
        appendFileSync(path, Buffer.alloc(size));
      } catch {
        break;
      }
    }
  }
}

/** Since when an older version of a route is served, Unix seconds. */
async function fallbackOf(gateway: RunningGateway, name: string): Promise<number | undefined> {
  const { resources } = (await request(`${gateway.admin}/api/v1/resources`)).json() as Listed;
  const found = resources.find((resource) => resource.name === name);
  const condition = found?.conditions.find(({ type }) => type === 'Fallback');
  expect(condition?.status).to.equal(condition?.since === undefined ? 'False' : 'True');
  return condition?.since;
}
