import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { Cleanup } from '../support/cleanup.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { gatewayDocument, routeDocument } from '../support/gateway.ts';
import { projectRoot, startProgram } from '../support/program.ts';
import type { RunningProgram } from '../support/program.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

const script = join(projectRoot, 'examples', 'quickstart', 'start.mjs');

describe('npm start', () => {
  const cleanup = cleanupAfterEach();

  it('prints curl lines that do what it says of them, and serves an edited file', async () => {
    const quickstart = await startQuickstart(cleanup);
    const [hello = '', denied = '', allowed = '', limited = '', metrics = ''] = quickstart.curls;
    const names = [await curl(hello), await curl(hello)].map(
      (answer) => (answer.json() as { upstream: string }).upstream,
    );
    expect(names.sort()).to.deep.equal(['blue', 'green']);
    expect((await curl(denied)).status).to.equal(401);
    const signedIn = await curl(allowed);
    expect(signedIn.status).to.equal(200);
    expect(signedIn.json()).to.have.nested.property('headers.x-user', 'ada');
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await curl(limited)).status);
    expect(statuses).to.deep.equal([200, 200, 200, 200, 200, 429]);
    expect((await curl(metrics)).body).to.include('mgateway_requests_total{route="default/limited"');

    const file = /Change (\S+routes\.yaml)/.exec(quickstart.stdout())?.[1] ?? '';
    writeFileSync(file, readFileSync(file, 'utf8').replace('x-gateway: mgateway', 'x-gateway: edited'));
    await eventually(async () => (await curl(hello)).headers['x-gateway'] === 'edited');
  });

  it('ends the gateway and the demo upstreams at one Ctrl-C, however often it is passed on', async () => {
    const quickstart = await startQuickstart(cleanup);
    quickstart.process.kill('SIGINT');
    quickstart.process.kill('SIGINT');
    expect(await quickstart.exited).to.deep.equal({ code: 0, signal: null });
    expect(quickstart.output()).not.to.include('second signal');
  });

  it('leaves no gateway behind when it is killed', async () => {
    const quickstart = await startQuickstart(cleanup);
    quickstart.process.kill('SIGKILL');
    const url = quickstart.curls[0]?.split(' ').at(-1) ?? '';
    await eventually(async () => {
      const answer = await request(url).catch(() => undefined);
      return answer === undefined;
    });
  });

  it('says which port is taken and how to choose another', async () => {
    const port = await freePort();
    const occupant = createServer().listen(port, '127.0.0.1');
    await once(occupant, 'listening');
    cleanup.add(() => occupant.close());
    for (const variable of ['PORT', 'ADMIN_PORT', 'BLUE_PORT']) {
      const program = startProgram(cleanup, [], {
        script,
        env: { ...(await ports()), [variable]: String(port) },
      });
      expect(await program.exited).to.deep.include({ code: 1 });
      expect(program.stderr()).to.include(String(port));
      expect(program.stderr()).to.match(/in use/);
      expect(program.stderr()).to.match(new RegExp(`\\b${variable}=\\d+.* npm start`));
    }
  });

  it('serves a directory of its user instead with --config, relative to where the user is', async () => {
    const upstream = await startUpstream(cleanup, 'own');
    const dir = tempDir(cleanup);
    const port = await freePort();
    const own = routeDocument(
      'own',
      `matches: [{ path: { prefix: / } }]\nupstreams: [{ url: "${upstream.url}" }]`,
    );
    writeFileSync(join(dir, 'all.yaml'), `${gatewayDocument(port)}---\n${own}`);
    const program = startProgram(
      cleanup,
      ['--config', '.', '--admin', '127.0.0.1:0', '--shutdown-delay', '0s'],
      {
        script,
        env: { INIT_CWD: dir },
      },
    );
    await eventually(async () => (await request(`http://127.0.0.1:${port}/`)).body === 'own');
    program.process.kill('SIGTERM');
    expect(await program.exited).to.deep.equal({ code: 0, signal: null });
  });
});

interface Quickstart extends RunningProgram {
  /** The printed commands, in order. */
  readonly curls: readonly string[];
}

async function startQuickstart(cleanup: Cleanup): Promise<Quickstart> {
  // What it writes there goes with the test, however it ends.
  const env = { ...(await ports()), TMPDIR: tempDir(cleanup) };
  const program = startProgram(cleanup, [], { script, env });
  await eventually(() => {
    if (program.process.exitCode !== null) throw new Error(program.output());
    return program.stdout().includes('Ctrl-C');
  });
  const curls = program
    .stdout()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '));
  return { ...program, curls };
}

async function ports(): Promise<Record<string, string>> {
  const names = ['PORT', 'ADMIN_PORT', 'BLUE_PORT', 'GREEN_PORT'];
  const entries = names.map(async (name) => [name, String(await freePort())] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Does what the printed command would do. */
function curl(line: string): Promise<Answer> {
  const [, url = ''] = /(http:\S+)$/.exec(line) ?? [];
  const [, name, value] = /-H "([^:]+): ([^"]+)"/.exec(line) ?? [];
  return request(url, name === undefined || value === undefined ? {} : { headers: { [name]: value } });
}
