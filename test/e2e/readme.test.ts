import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { gatewayDocument, routeDocument, startGateway } from '../support/gateway.ts';
import { projectRoot, runProgram } from '../support/program.ts';
import { request } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { tempDir } from '../support/temp-dir.ts';

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');

/** The block of text that begins so. */
function shown(beginning: string): string {
  const block = [...readme.matchAll(/```text\n([^]*?)```/g)].find(([, text = '']) =>
    text.startsWith(beginning),
  );
  return block?.[1] ?? `the README shows nothing that begins with ${beginning}`;
}

describe('the README', () => {
  const cleanup = cleanupAfterEach();

  it('shows what diff prints', async () => {
    const dir = tempDir(cleanup);
    const users = (requests: number): string =>
      [
        routeDocument(
          'users',
          'matches: [{ path: { prefix: /users } }]\nmiddlewares: [{ name: limit }]\nupstreams: [{ url: "http://10.0.0.1:8080" }]',
        ),
        resourceDocument('Middleware', 'limit', `rateLimit: { requests: ${requests}, per: 1s }`),
      ].join('---\n');
    const all = routeDocument('all', 'priority: 1\nupstreams: [{ url: "http://10.0.0.9:8080" }]');
    for (const name of ['old', 'new']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'old', 'users.yaml'), users(100));
    writeFileSync(join(dir, 'new', 'users.yaml'), users(50));
    writeFileSync(join(dir, 'new', 'all.yaml'), all);
    writeFileSync(join(dir, 'requests.jsonl'), '{"url": "https://api.example.com/users/7"}\n');
    const [, , command = ''] = /```sh\n(npx mgateway (diff [^\n]*))\n```/.exec(readme) ?? [];
    const { code, stdout, stderr } = await runProgram(cleanup, command.split(' '), { cwd: dir });
    expect([code, stderr, stdout]).to.deep.equal([1, '', shown('added Route')]);
  });

  it('shows what status says of a change that a RouteTest refuses, and what it refuses is not served', async () => {
    const parent = tempDir(cleanup);
    const dir = join(parent, 'routes');
    cpSync(join(projectRoot, 'examples/route-tests/config'), dir, { recursive: true });
    const port = await freePort();
    writeFileSync(join(parent, 'gateway.yaml'), gatewayDocument(port));
    const gateway = await startGateway(cleanup, {
      dir,
      port,
      args: ['--config', join(parent, 'gateway.yaml')],
    });
    const routes = readFileSync(join(dir, 'routes.yaml'), 'utf8');
    gateway.write('routes.yaml', routes.replace('    - name: signed-in\n', ''));
    await eventually(
      async () => (await gateway.metric('mgateway_config_reloads_total{result="refused"}')) === 1,
    );
    const { code, stdout } = await runProgram(cleanup, ['status', '--admin', new URL(gateway.admin).host]);
    expect(code).to.equal(1);
    const problems = stdout.slice(stdout.indexOf('problems:')).replaceAll(dir, 'routes');
    expect(problems).to.equal(shown('problems:'));
    const headers = { host: 'api.example.com' };
    expect((await request(`${gateway.url}/users/7`, { headers })).status).to.equal(401);
  });
});
