import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';

const corpus = join(projectRoot, '..', 'shared', 'corpus', 'path');
const run = promisify(execFile);

describe('the gateway over the path corpus', () => {
  const cleanup = cleanupAfterEach();

  it('lets no request slip past a token and serves every public path', async function () {
    if (!existsSync(join(corpus, 'pathcheck.py'))) {
      console.warn('      skipped: no corpus at ../shared/corpus/path');
      this.skip();
    }
    this.timeout(120_000);
    const upstreamPort = await freePort();
    const upstreams = `upstreams: [{ url: "http://127.0.0.1:${upstreamPort}" }]`;
    const jwt = [
      'middlewares:',
      '  - jwt:',
      '      issuers: [{ issuer: test, audiences: [test], secret: { env: PATH_CORPUS_SECRET }, algorithms: [HS256] }]',
    ].join('\n');
    const gateway = await startGateway(cleanup, {
      env: { PATH_CORPUS_SECRET: 'nobody-has-a-token-signed-with-this-secret' },
      files: {
        'admin.yaml': routeDocument('admin', `matches: [{ path: { prefix: /admin } }]\n${jwt}\n${upstreams}`),
        'admin-host.yaml': routeDocument(
          'admin-host',
          `hostnames: [admin.test]\nmatches: [{ path: { prefix: / } }]\n${jwt}\n${upstreams}`,
        ),
        'public.yaml': routeDocument('public', `matches: [{ path: { prefix: / } }]\n${upstreams}`),
      },
    });
    const args = ['--target', `127.0.0.1:${gateway.port}`, '--upstream-port', `${upstreamPort}`, '-v'];
    const { stdout } = await run('python3', [join(corpus, 'pathcheck.py'), ...args]);
    const score = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
    expect(score, stdout).to.include({ X: 0, W: 0, M: 0, P: 0, E: 0 });
    expect(score.n).to.be.above(400);
  });
});
