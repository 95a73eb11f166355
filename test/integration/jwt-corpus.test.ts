import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';

const corpus = join(projectRoot, '..', 'shared', 'corpus', 'jwt');
const run = promisify(execFile);

describe('the gateway over the token corpus', () => {
  const cleanup = cleanupAfterEach();

  it('accepts no forgery, refuses no valid token and never fails', async function () {
    if (!existsSync(join(corpus, 'jwtcheck.py'))) {
      console.warn('      skipped: no corpus at ../shared/corpus/jwt');
      this.skip();
    }
    this.timeout(120_000);
    const upstreamPort = await freePort();
    const route = (prefix: string, keys: string): string =>
      routeDocument(
        prefix,
        [
          `matches: [{ path: { prefix: /${prefix} } }]`,
          `middlewares: [{ jwt: { issuers: [{ issuer: "https://issuer.test", audiences: [bench], ${keys} }] } }]`,
          `upstreams: [{ url: "http://127.0.0.1:${upstreamPort}" }]`,
        ].join('\n'),
      );
    const file = (name: string): string => JSON.stringify(join(corpus, name));
    const gateway = await startGateway(cleanup, {
      files: {
        'api.yaml': route(
          'api',
          `jwks: { file: ${file('jwks.json')} }, algorithms: [RS256, ES256, PS256, EdDSA]`,
        ),
        'hs.yaml': route(
          'hs',
          `secret: { file: ${file('hs_secret.b64url')}, encoding: Base64Url }, algorithms: [HS256]`,
        ),
      },
    });
    const { stdout } = await run('python3', [
      join(corpus, 'jwtcheck.py'),
      ...['--target', `${gateway.url}/api/x`, '--hs-target', `${gateway.url}/hs/x`],
      ...['--upstream-port', `${upstreamPort}`, '--corpus', join(corpus, 'corpus.dev.jsonl'), '-v'],
    ]);
    const score = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
    expect(score, stdout).to.include({ A: 0, R: 0, E: 0, I: 0, L: 0 });
    expect(score.n).to.be.above(200);
  });
});
