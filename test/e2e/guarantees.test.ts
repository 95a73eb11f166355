import { expect } from 'chai';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What the gateway promises (docs/architecture.md), and the tests that prove it: file → titles. */
const proofs: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'G1 one table per request': {
    'e2e/reload/storm.test.ts': [
      'loses no request, no connection and no state, and serves each request by one generation (G1, G6)',
    ],
  },
  'G2 snapshots and tables never change': {
    'unit/dataplane/table/table-holder.test.ts': ['never changes a generation that has been committed (G2)'],
  },
  'G3 older never replaces newer': {
    'unit/dataplane/table/table-holder.test.ts': ['refuses what does not start from what is served (G3)'],
    'unit/supervisor/publisher.test.ts': [
      'drops what a restarted config thread no longer names, and takes nothing older than what is served',
    ],
  },
  'G4 whatever can fail, fails before the commit': {
    'unit/dataplane/table/table-holder.test.ts': [
      'changes nothing and keeps nothing if anything of the candidate fails (G4)',
    ],
    'unit/supervisor/publisher.test.ts': [
      'commits nowhere and changes no shared memory if one worker refuses',
    ],
    'e2e/reload/documents.test.ts': [
      'refuses only what depends on a module that throws when it is loaded (G4)',
    ],
    'e2e/reload/listeners.test.ts': [
      'stay as they are when a port is taken; the message names it; it is taken as soon as it is free',
    ],
  },
  'G5 a bad document harms only itself, and no route goes without its middlewares': {
    'e2e/reload/documents.test.ts': [
      'keeps what ran (G5)',
      'never serves a route without the middleware its author wrote down (G5)',
    ],
  },
  'G6 a reload drops no connection and resets no state whose definition did not change': {
    'e2e/reload/storm.test.ts': [
      'loses no request, no connection and no state, and serves each request by one generation (G1, G6)',
    ],
    'unit/supervisor/publisher.test.ts': [
      'scales memory in place at the commit, keeps what did not change and drops what it cannot keep',
    ],
    'e2e/reload/streams.test.ts': [
      'is left alone by reloads that change or remove other routes, upstreams, limits and listeners, and its own (G6)',
    ],
    'e2e/proxying/websocket.test.ts': [
      'survives a reload, even of its own route, and ends when either side ends',
    ],
  },
  'G7 what is matched is what is forwarded': {
    'integration/path-corpus.test.ts': ['lets no request slip past a token and serves every public path'],
    'unit/routing/target.test.ts': ['leaves no way to read a path below another prefix than the one it has'],
  },
  'G8 the client gone, the upstream socket closed': {
    'e2e/proxying/abort.test.ts': [
      'has its place in the queue given up: its request never reaches the upstream',
      'has the connection closed that is still being opened',
      'has the upstream connection closed while the head of the answer is awaited',
      'has the upstream connection closed in the middle of its body',
      'has the upstream connection closed in the middle of the answer, whether it reads or not',
    ],
  },
  'G9 memory is bounded': {
    'unit/middleware/rate-limit.test.ts': [
      'never grows, counts what it forgets, and forgets full buckets first',
    ],
    'unit/telemetry/worker-metrics.test.ts': [
      'counts what is over the cap under _other, and nothing is lost',
    ],
    'e2e/proxying/streaming.test.ts': [
      'wait for slow readers instead of piling up',
      'wait for a slow upstream instead of piling up',
    ],
  },
  'G10 every error has a stable code, and no client sees an internal message': {
    'unit/middleware/errors.test.ts': ['has one row for each code in the sources, and no others'],
    'e2e/guarantees.test.ts': ['G10 tells a client a code, and nothing of what went wrong inside'],
  },
  'G11 no fail-open start': {
    'e2e/reload/listeners.test.ts': ['the default listener (G11)'],
  },
};

describe('the guarantees', () => {
  const cleanup = cleanupAfterEach();

  for (const [guarantee, files] of Object.entries(proofs)) {
    it(`${guarantee}: is proven by tests that exist`, () => {
      for (const [file, titles] of Object.entries(files)) {
        const source = readFileSync(join(projectRoot, 'test', file), 'utf8');
        for (const title of titles) {
          const places = [`it('${title}'`, `describe('${title}'`];
          expect(
            places.some((place) => source.includes(place)),
            `${file}: ${title}`,
          ).to.equal(true);
        }
      }
    });
  }

  it('are eleven', () => {
    const numbers = Object.keys(proofs).map((guarantee) => guarantee.split(' ')[0]);
    expect(numbers).to.deep.equal(Array.from({ length: 11 }, (_, i) => `G${i + 1}`));
  });

  it('G10 tells a client a code, and nothing of what went wrong inside', async () => {
    const modules = tempDir(cleanup);
    const secret = 'password-of-the-database';
    writeFileSync(
      join(modules, 'm.mjs'),
      `export default () => ({ request() { throw new Error('${secret}'); } });`,
    );
    const nobody = await freePort();
    const to = (name: string, more = ''): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\n${more}\nupstreams: [{ url: "http://127.0.0.1:${nobody}" }]`,
      );
    const gateway = await startGateway(cleanup, {
      files: {
        'routes.yaml': [
          to('fails', 'middlewares: [{ module: { path: m.mjs } }]'),
          to('nobody'),
          to('post').replace('}]', ', methods: [POST] }]'),
          to('unsecured', 'middlewares: [{ name: missing }]'),
        ].join('---\n'),
      },
      args: ['--modules-dir', modules],
    });
    for (const [path, status, code] of [
      ['/fails', 500, 'ERR_MIDDLEWARE_FAILED'],
      ['/nobody', 502, 'ERR_UPSTREAM_CONNECT'],
      ['/post', 405, 'ERR_METHOD_NOT_ALLOWED'],
      ['/unsecured', 503, 'ERR_ROUTE_NOT_SECURED'],
      ['/none', 404, 'ERR_ROUTE_NOT_FOUND'],
      ['/%00', 400, 'ERR_PATH_REJECTED'],
    ] as const) {
      const answer = await request(`${gateway.url}${path}`);
      expect(answer.status, path).to.equal(status);
      expect(answer.headers['content-type'], path).to.equal('application/problem+json');
      expect(answer.json(), path).to.include.keys('code', 'requestId', 'status', 'detail');
      expect((answer.json() as { readonly code: string }).code, path).to.equal(code);
      for (const inner of [secret, String(nobody), 'ECONNREFUSED', 'm.mjs', 'missing', '    at ']) {
        expect(answer.rawHeaders.join('\n') + answer.body, path).not.to.include(inner);
      }
    }
    // Who runs the gateway is told all the same.
    await eventually(() => gateway.stderr().includes(secret));
  });
});
