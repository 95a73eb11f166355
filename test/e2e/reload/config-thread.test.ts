import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';

describe('a config thread that crashes', () => {
  const cleanup = cleanupAfterEach();

  it('while a document is broken: another goes on, good edits are served, the broken one keeps its last version', async () => {
    const upstream = await startUpstream(cleanup, 'here');
    const route = (name: string, prefix = `/${name}`): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: ${prefix} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const crash = join(tempDir(cleanup), 'crash');
    const gateway = await startGateway(cleanup, {
      files: { 'a.yaml': route('a'), 'b.yaml': route('b') },
      gatewaySpec: 'generationHeader: x-generation',
      nodeArgs: ['--import', new URL('../fixtures/crash-config-thread.mjs', import.meta.url).href],
      env: { CRASH: crash },
    });
    const ask = async (path: string): Promise<readonly [number, number]> => {
      const { status, headers } = await request(`${gateway.url}${path}`);
      return [status, Number(headers['x-generation'])];
    };
    const fallbacks = (): Promise<number> =>
      gateway.metric('mgateway_config_resources{kind="Route",state="fallback"}');
    gateway.write('b.yaml', route('b').replace('matches', 'matchs'));
    await eventually(async () => expect(await fallbacks()).to.equal(1));
    const before = await gateway.generation();

    // Twice: the second thread hands on what the first one left.
    for (const [turn, prefix] of ['/one', '/two'].entries()) {
      writeFileSync(crash, '');
      await eventually(() => expect(existsSync(crash)).to.equal(false));
      const deaths = (): number => gateway.output().split('config thread died').length - 1;
      await eventually(() => expect(deaths()).to.equal(turn + 1));
      gateway.write('a.yaml', route('a', prefix));
      await eventually(async () => expect((await ask(prefix))[0]).to.equal(200));
      expect(await ask('/b')).to.deep.equal([200, before + turn + 1]);
      await eventually(async () => expect(await gateway.generation()).to.equal(before + turn + 1));
      expect(await fallbacks()).to.equal(1);
    }
    gateway.write('b.yaml', route('b', '/repaired'));
    await eventually(async () => expect((await ask('/repaired'))[0]).to.equal(200));
    expect((await ask('/b'))[0]).to.equal(404);
    expect(await fallbacks()).to.equal(0);
  });
});

describe('the config thread', () => {
  const cleanup = cleanupAfterEach();

  it('gives way to traffic once there is any: it alone of all threads has a lower priority', async function () {
    // No other system has priorities of single threads.
    if (process.platform !== 'linux') this.skip();
    const upstream = await startUpstream(cleanup, 'here');
    const document = routeDocument('a', `upstreams: [{ url: "${upstream.url}" }]`);
    const gateway = await startGateway(cleanup, { files: { 'a.yaml': document } });
    await eventually(() => {
      const lowered = nicenessOfThreads(gateway.process.pid ?? -1).filter((nice) => nice > 0);
      expect(lowered).to.deep.equal([10]);
    });
  });
});

/** proc_pid_stat(5): field 19, counted behind the name, which may hold blanks and brackets. */
function nicenessOfThreads(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}
