import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';

describe("the file of a user's module", () => {
  const cleanup = cleanupAfterEach();

  it('is followed when it is edited and when it comes back; while it is gone its last version is served', async () => {
    const upstream = await startUpstream(cleanup, 'here');
    const modules = tempDir(cleanup);
    const write = (word: string): void =>
      writeFileSync(
        join(modules, 'm.mjs'),
        `import { mark } from './mark.mjs';
        export default () => ({ response(_, head) { head.headers.set('x-word', '${word}' + mark); } });`,
      );
    const route = (name: string, prefix = `/${name}`, more = ''): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: ${prefix} } }]\nupstreams: [{ url: "${upstream.url}" }]\n${more}`,
      );
    const moody = (prefix: string): string =>
      route('m', prefix, 'middlewares: [{ module: { path: m.mjs } }]');
    writeFileSync(join(modules, 'mark.mjs'), "export const mark = '!';");
    write('one');
    const gateway = await startGateway(cleanup, {
      files: { 'm.yaml': moody('/m'), 'a.yaml': route('a') },
      args: ['--modules-dir', modules],
    });
    const word = async (path = '/m'): Promise<unknown> =>
      (await request(`${gateway.url}${path}`)).headers['x-word'];
    expect(await word()).to.equal('one!');
    await gateway.reload(() => write('two'));
    expect(await word()).to.equal('two!');

    rmSync(join(modules, 'm.mjs'));
    const fallbacks = (): Promise<number> =>
      gateway.metric('mgateway_config_resources{kind="Route",state="fallback"}');
    await eventually(async () => expect(await fallbacks()).to.equal(1));
    expect(await word()).to.equal('two!');
    await eventually(() => expect(gateway.output()).to.match(/m\.yaml.*m\.mjs: does not exist/));
    // Others go on; the route itself does not go on without its middleware.
    await gateway.reload(() => {
      gateway.write('a.yaml', route('a', '/new-a'));
      gateway.write('m.yaml', moody('/new-m'));
    });
    expect((await request(`${gateway.url}/new-a`)).status).to.equal(200);
    expect((await request(`${gateway.url}/new-m`)).status).to.equal(404);
    expect(await word()).to.equal('two!');

    await gateway.reload(() => write('three'));
    expect(await word('/new-m')).to.equal('three!');
    expect(await fallbacks()).to.equal(0);
    // What it imports is the engine's: known by its name, and never read again.
    writeFileSync(join(modules, 'mark.mjs'), "export const mark = '?';");
    await gateway.reload(() => write('four'));
    expect(await word('/new-m')).to.equal('four!');
  });
});
