import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
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
});
