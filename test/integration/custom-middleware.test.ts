import { expect } from 'chai';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

const example = join(projectRoot, 'examples', 'custom-middleware');

describe('examples/custom-middleware', () => {
  const cleanup = cleanupAfterEach();

  it('asks for a known key, tells the upstream whose it is, and refuses a module that does not load', async () => {
    const upstream = await startUpstream(cleanup, 'reports');
    const routes = readFileSync(join(example, 'config', 'routes.yaml'), 'utf8');
    const modules = tempDir(cleanup);
    writeFileSync(join(modules, 'api-key.mjs'), readFileSync(join(example, 'modules', 'api-key.mjs')));
    const gateway = await startGateway(cleanup, {
      files: { 'routes.yaml': routes.replace('http://127.0.0.1:3000', upstream.url) },
      args: ['--modules-dir', modules],
    });
    const refused = await request(`${gateway.url}/reports`);
    expect([refused.status, (refused.json() as { code: string }).code]).to.deep.equal([401, 'ERR_API_KEY']);
    const headers = { 'x-api-key': 'let-me-in', 'x-key-owner': 'root' };
    const answer = await request(`${gateway.url}/reports`, { headers });
    expect([answer.status, answer.body, answer.headers['x-checked-by']]).to.deep.equal([
      200,
      'reports',
      'api-key',
    ]);
    expect(
      upstream.requests.map(({ rawHeaders }) =>
        rawHeaders.filter((_, i, all) => all[i - 1] === 'x-key-owner'),
      ),
    ).to.deep.equal([['ann']]);

    writeFileSync(join(modules, 'broken.mjs'), "throw new Error('not today');");
    gateway.write(
      'routes.yaml',
      routes.replace('http://127.0.0.1:3000', upstream.url).replace('api-key.mjs', 'broken.mjs'),
    );
    await eventually(() => gateway.output().includes('not today'));
    expect((await request(`${gateway.url}/reports`, { headers })).status).to.equal(200);
    expect((await request(`${gateway.url}/reports`)).status).to.equal(401);
  });

  it('takes in an edited module without an edit of any resource, and keeps the last good one when it breaks or goes', async () => {
    const upstream = await startUpstream(cleanup, 'reports');
    const modules = tempDir(cleanup);
    const write = (version: string): void =>
      writeFileSync(
        join(modules, 'stamp.mjs'),
        `export default () => ({ response: (_exchange, head) => head.headers.set('x-stamp', '${version}') });`,
      );
    write('one');
    const gateway = await startGateway(cleanup, {
      files: {
        'route.yaml': routeDocument(
          'stamped',
          `middlewares: [{ module: { path: stamp.mjs } }]\nupstreams: [{ url: "${upstream.url}" }]`,
        ),
      },
      args: ['--modules-dir', modules],
    });
    const stamp = async (): Promise<unknown> => (await request(`${gateway.url}/`)).headers['x-stamp'];
    expect(await stamp()).to.equal('one');
    write('two');
    await eventually(async () => (await stamp()) === 'two');
    writeFileSync(join(modules, 'stamp.mjs'), 'export default () => {');
    await eventually(() => gateway.output().includes('ModuleFailed'));
    expect(await stamp()).to.equal('two');
    rmSync(join(modules, 'stamp.mjs'));
    await eventually(() => gateway.output().includes('stamp.mjs: does not exist'));
    expect(await stamp()).to.equal('two');
    write('three');
    await eventually(async () => (await stamp()) === 'three');
  });
});
