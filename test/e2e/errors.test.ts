import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { projectRoot } from '../support/program.ts';
import { openRaw, startRawServer } from '../support/raw-connection.ts';
import { request } from '../support/request.ts';
import type { RequestOptions } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Provoked where all it takes is set up anyway. */
const elsewhere: Readonly<Record<string, string>> = {
  ERR_ROUTE_REMOVED: 'e2e/reload/streams.test.ts',
  ERR_UPSTREAM_CONNECT_TIMEOUT: 'e2e/load-balancing.test.ts',
  ERR_ADMIN_ROLLBACK_REFUSED: 'integration/admin/writes.test.ts',
  ERR_ADMIN_QUERY_FAILED: 'integration/admin/admin-server.test.ts',
};
/** Said to nobody as long as the gateway has no fault: the client is gone, or main threw. */
const unheard = ['ERR_BAD_REQUEST', 'ERR_ADMIN_INTERNAL'];

/** code → status, as documented; those of logs alone have none. */
const documented = new Map(
  [
    ...readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8').matchAll(
      /^\| `(ERR_\w+)` \| (\d+|any) \|/gm,
    ),
  ].map(([, code = '', status = '']) => [code, status]),
);

const documentedInLogs = [
  ...readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8').matchAll(/^\| `(ERR_\w+)` \| – \|/gm),
].map(([, code = '']) => code);

const secret = 'the-secret-of-this-test-0123456789';

function token(claims: object, algorithm = 'HS256'): RequestOptions {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: algorithm })}.${part({ iss: 'issuer', ...claims })}`;
  const signature = createHmac('sha256', secret).update(signed).digest('base64url');
  return { headers: { authorization: `Bearer ${signed}.${signature}` } };
}

describe('what an upstream must not answer', () => {
  const cleanup = cleanupAfterAll();
  const ok = 'HTTP/1.1 200 OK\r\n';
  const answers: Readonly<Record<string, string>> = {
    ERR_UPSTREAM_CLOSED: '',
    ERR_UPSTREAM_STATUS_LINE_INVALID: 'SMTP ready\r\n\r\n',
    ERR_UPSTREAM_HEADER_INVALID: `${ok}bad name: x\r\n\r\n`,
    ERR_UPSTREAM_HEADERS_TOO_LARGE: `${ok}${'x: y\r\n'.repeat(20_000)}\r\n`,
    ERR_UPSTREAM_FRAMING_INVALID: `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\n`,
    ERR_UPSTREAM_SWITCHED_UNASKED: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    ERR_UPSTREAM_UNEXPECTED_BYTES: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100),
    ERR_UPSTREAM_BODY_INVALID: `${ok}transfer-encoding: chunked\r\n\r\nno-size\r\n`,
  };
  let gateway: RunningGateway;

  before(async () => {
    const upstream = await startRawServer(cleanup, async (connection) => {
      const [, code = ''] = /GET \/(\w+) /.exec(await connection.head()) ?? [];
      connection.send(answers[code] ?? '');
      connection.socket.end();
    });
    gateway = await startGateway(cleanup, {
      files: { 'all.yaml': routeDocument('all', `upstreams: [{ url: "${upstream.url}" }]`) },
      args: ['--log-level', 'debug'],
    });
  });

  for (const code of Object.keys(answers)) {
    it(`is told to the client as 502, and to the log as ${code}`, async () => {
      const client = await openRaw(cleanup, gateway.port);
      client.send(`GET /${code} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n`);
      await client.gone;
      const told = client.text.replace(/HTTP\/1\.1 103 [^]*?\r\n\r\n/g, '');
      // What had begun can only be broken off.
      if (code === 'ERR_UPSTREAM_BODY_INVALID') expect(told).not.to.contain('no-size');
      else
        expect(told)
          .to.match(/^HTTP\/1\.1 502 /)
          .and.to.match(/"ERR_UPSTREAM_(RESET|PROTOCOL)"/);
      const [, requestId = ''] = /"requestId":"([^"]+)"/.exec(told) ?? [];
      const line = (): string | undefined =>
        gateway
          .output()
          .split('\n')
          .find((each) => each.includes(code) && each.includes(requestId));
      await eventually(() => expect(line()).to.contain('upstream exchange failed'));
      expect(documentedInLogs).to.include(code);
    });
  }
});

describe('every error that a client can meet', function () {
  this.timeout(60_000);
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  let admin: string;
  let open: RunningGateway;

  before(async () => {
    const upstream = await startUpstream(cleanup, 'here');
    const hung = await startRawServer(cleanup, () => undefined);
    const resets = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.socket.destroy();
    });
    const garbage = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.send('SMTP ready\r\n\r\n');
    });
    const patient = await startUpstream(
      cleanup,
      (incoming, response) => void incoming.resume().on('end', () => response.end()),
    );
    const dead = `http://127.0.0.1:${await freePort()}`;
    const modules = tempDir(cleanup);
    writeFileSync(
      join(modules, 'throws.mjs'),
      "export default () => ({ request() { throw new Error('x'); } });",
    );
    writeFileSync(
      join(modules, 'replies.mjs'),
      'export default () => ({ request: () => ({ status: 418 }) });',
    );
    const route = (name: string, url: string, more = ''): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ url: "${url}" }]\n${more}`,
      );
    const used = (name: string, middleware: string): string =>
      route(name, upstream.url, `middlewares: [${middleware}]`);
    const jwt = (keys: string): string =>
      `{ jwt: { issuers: [{ issuer: issuer, ${keys} }], require: { claims: { role: { contains: admin } } } } }`;
    const pool = (name: string, spec: string): string =>
      [
        routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ name: ${name} }]`),
        resourceDocument('Upstream', name, spec),
      ].join('---\n');
    const documents = [
      used('jwt', jwt('secret: { env: TEST_SECRET }, algorithms: [HS256]')),
      used('keyless', jwt(`jwks: { url: "${dead}/jwks" }, algorithms: [RS256]`)),
      used('limited', '{ rateLimit: { requests: 1, per: 1h } }'),
      used(
        'keyed',
        '{ rateLimit: { requests: 9, per: 1h, key: { header: x-tenant }, onMissingKey: Reject } }',
      ),
      routeDocument(
        'capture',
        `matches: [{ path: { template: "/capture/{id}" } }, { path: { prefix: /uncaught } }]
middlewares: [{ rewrite: { path: "/x/{id}" } }]
upstreams: [{ url: "${upstream.url}" }]`,
      ),
      used('throws', '{ module: { path: throws.mjs } }'),
      used('replies', '{ module: { path: replies.mjs } }'),
      used('unsecured', '{ name: nobody }'),
      route('guarded', upstream.url),
      resourceDocument('Guard', 'g', 'routes: { pathPrefix: /guarded }\nrequire: { middleware: jwt }'),
      routeDocument(
        'get',
        `matches: [{ path: { exact: /get }, methods: [GET] }]\nupstreams: [{ url: "${dead}" }]`,
      ),
      routeDocument('missing', 'matches: [{ path: { prefix: /missing } }]\nupstreams: [{ name: nobody }]'),
      pool(
        'unhealthy',
        `endpoints: [{ url: "${dead}" }]\nhealthCheck: { path: /, interval: 1s, timeout: 500ms, unhealthy: 1 }`,
      ),
      pool('busy', `endpoints: [{ url: "${hung.url}" }]\nmaxConnections: 1\ntimeouts: { connect: 60s }`),
      route('dead', dead),
      route('resets', resets.url),
      route('garbage', garbage.url),
      route('attempt', hung.url, 'timeouts: { attempt: 200ms }'),
      route('whole', hung.url, 'timeouts: { request: 200ms }'),
      route('ok', upstream.url),
      route('patient', patient.url),
    ];
    const files = { 'all.yaml': documents.join('---\n') };
    const tokenFile = join(tempDir(cleanup), 'token');
    writeFileSync(tokenFile, secret);
    gateway = await startGateway(cleanup, {
      files,
      gatewaySpec: `limits: { requestHeaders: 2KiB, requestTarget: 1KiB, requestBody: 1KiB }
timeouts: { requestHead: 500ms, idleBody: 500ms }`,
      args: ['--workers', '1', '--modules-dir', modules, '--admin-token-file', tokenFile],
      env: { TEST_SECRET: secret },
    });
    ({ admin } = gateway);
    open = await startGateway(cleanup, {
      args: ['--admin', `0.0.0.0:${await freePort()}`, '--shutdown-delay', '30s'],
      untilReady: false,
    });
  });

  const ask = async (path: string, options: RequestOptions = {}): Promise<Answer> => {
    const url = path.startsWith('http') ? path : `${gateway.url}${path}`;
    const answer = await request(url, options);
    const contentType = answer.headers['content-type'];
    return { status: answer.status, contentType, body: answer.json() as Answer['body'] };
  };
  const post = (
    path: string,
    body: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> =>
    ask(`${admin}/api/v1/${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
    });
  /** Sends bytes and reads the last answer to them. */
  const raw = async (text: string): Promise<Answer> => {
    const client = await openRaw(cleanup, gateway.port);
    client.send(text);
    const head = await client.head();
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    const body = await client.until(new RegExp(`^[^]{${length}}`));
    await client.gone;
    return {
      status: Number(head.split(' ')[1]),
      contentType: /content-type: ([^\r]*)/i.exec(head)?.[1],
      body: JSON.parse(body) as Answer['body'],
    };
  };
  const get = (more: string, line = 'GET /ok HTTP/1.1'): Promise<Answer> =>
    raw(`${line}\r\nhost: a.test\r\n${more}\r\n`);
  const chunked = 'POST /ok HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n';
  /** The address of the one that listens everywhere, as it printed it. */
  const openAdmin = (): Promise<string> =>
    eventually(() => {
      const [, port] = /"admin":"0\.0\.0\.0:(\d+)"/.exec(open.output()) ?? [];
      if (port === undefined) throw new Error('not yet');
      return `http://127.0.0.1:${port}`;
    });

  const cases: Readonly<Record<string, () => Promise<Answer>>> = {
    ERR_JWT_MISSING: () => ask('/jwt'),
    ERR_JWT_INVALID: () => ask('/jwt', token({ iss: 'another' })),
    ERR_JWT_EXPIRED: () => ask('/jwt', token({ exp: 1 })),
    ERR_JWT_CLAIMS: () => ask('/jwt', token({ exp: 4e9, role: 'guest' })),
    ERR_JWT_KEYS_UNAVAILABLE: () => ask('/keyless', token({ exp: 4e9 }, 'RS256')),
    ERR_RATE_LIMITED: async () => {
      await request(`${gateway.url}/limited`);
      return ask('/limited');
    },
    ERR_RATE_LIMIT_KEY: () => ask('/keyed'),
    ERR_REWRITE_NO_CAPTURE: () => ask('/uncaught'),
    ERR_MIDDLEWARE_FAILED: () => ask('/throws'),
    ERR_MODULE_REPLY: () => ask('/replies'),
    ERR_PATH_REJECTED: () => ask('/ok%2fother'),
    ERR_HOST_REJECTED: () => ask('/ok', { headers: { host: 'a..b' } }),
    ERR_ROUTE_NOT_FOUND: () => ask('/nowhere'),
    ERR_METHOD_NOT_ALLOWED: () => ask('/get', { method: 'DELETE' }),
    ERR_ROUTE_NOT_SECURED: () => ask('/unsecured'),
    ERR_ROUTE_GUARDED: () => ask('/guarded'),
    ERR_UPSTREAM_MISSING: () => ask('/missing'),
    ERR_NO_HEALTHY_ENDPOINT: () =>
      eventually(async () => {
        const answer = await ask('/unhealthy');
        expect(answer.status).to.equal(503);
        return answer;
      }),
    ERR_UPSTREAM_BUSY: async () => {
      // One is sent, four wait.
      for (let stuck = 1; stuck <= 5; stuck += 1) {
        const client = await openRaw(cleanup, gateway.port);
        client.send('GET /busy HTTP/1.1\r\nhost: a.test\r\n\r\n');
        const inFlight = 'mgateway_requests_in_flight{route="default/busy"}';
        await eventually(async () => expect(await gateway.metric(inFlight)).to.equal(stuck));
      }
      return ask('/busy');
    },
    ERR_UPSTREAM_CONNECT: () => ask('/dead'),
    ERR_UPSTREAM_RESET: () => ask('/resets'),
    ERR_UPSTREAM_PROTOCOL: () => ask('/garbage'),
    ERR_UPSTREAM_TIMEOUT: () => ask('/attempt'),
    ERR_REQUEST_TIMEOUT: () => ask('/whole'),
    ERR_REQUEST_LINE_INVALID: () => raw('GET\r\n\r\n'),
    ERR_REQUEST_TARGET_INVALID: () => get('', 'GET ok HTTP/1.1'),
    ERR_REQUEST_TARGET_TOO_LONG: () => get('', `GET /${'a'.repeat(1100)} HTTP/1.1`),
    ERR_REQUEST_VERSION_INVALID: () => get('', 'GET /ok HTTP/0.9'),
    ERR_REQUEST_VERSION_UNSUPPORTED: () => get('', 'GET /ok HTTP/3.0'),
    ERR_REQUEST_CONNECT_UNSUPPORTED: () => get('', 'CONNECT a.test:443 HTTP/1.1'),
    ERR_REQUEST_HEADER_INVALID: () => get('bad name: x\r\n'),
    ERR_REQUEST_HEADERS_TOO_LARGE: () => get(`x-big: ${'a'.repeat(3000)}\r\n`),
    ERR_REQUEST_HOST_INVALID: () => get('host: b.test\r\n'),
    ERR_REQUEST_FRAMING_INVALID: () => get('content-length: 1\r\ncontent-length: 2\r\n'),
    ERR_REQUEST_TRANSFER_CODING_UNSUPPORTED: () => get('transfer-encoding: gzip, chunked\r\n'),
    ERR_REQUEST_EXPECTATION_UNSUPPORTED: () => get('expect: a-miracle\r\n'),
    ERR_REQUEST_BODY_INVALID: () => raw(`${chunked}not-a-size\r\n`),
    ERR_REQUEST_BODY_TOO_LARGE: () => get('content-length: 2000\r\n'),
    ERR_REQUEST_HEAD_TIMEOUT: () => raw('GET /ok HTTP/1.1\r\nhost: a.test\r\n'),
    ERR_REQUEST_BODY_TIMEOUT: () => raw(`${chunked.replace('/ok', '/patient')}5\r\nab`),
    ERR_ADMIN_BAD_REQUEST: () => post('rollback', '{"generation": "one"}'),
    ERR_ADMIN_HOST_REFUSED: () => ask(`${admin}/api/v1/status`, { headers: { host: 'evil.test' } }),
    ERR_ADMIN_METHOD_NOT_ALLOWED: () => ask(`${admin}/api/v1/status`, { method: 'DELETE' }),
    ERR_ADMIN_MEDIA_TYPE: () => post('resume', '{}', { 'content-type': 'text/plain' }),
    ERR_ADMIN_ORIGIN_REFUSED: () => post('resume', '{}', { origin: 'http://evil.test' }),
    ERR_ADMIN_UNAUTHORIZED: () => post('resume', '{}', { authorization: 'Bearer wrong' }),
    ERR_ADMIN_GENERATION_UNKNOWN: () => post('rollback', '{"generation": 99}'),
    ERR_ADMIN_NOT_FOUND: () => ask(`${admin}/nowhere`),
    ERR_ADMIN_READS_CLOSED: async () => ask(`${await openAdmin()}/api/v1/status`),
    ERR_ADMIN_WRITES_CLOSED: async () =>
      ask(`${await openAdmin()}/api/v1/resume`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      }),
    ERR_NOT_READY: async () => {
      const url = `${await openAdmin()}/readyz`;
      await eventually(async () => expect((await request(url)).status).to.equal(200));
      open.process.kill('SIGTERM');
      return eventually(async () => {
        const answer = await request(url);
        expect(answer.status).to.equal(503);
        return ask(url);
      });
    },
  };

  for (const [code, provoke] of Object.entries(cases)) {
    it(code, async () => {
      const { status, contentType, body } = await provoke();
      expect(body['code'], JSON.stringify(body)).to.equal(code);
      const expected = documented.get(code);
      expect(String(status)).to.equal(expected === 'any' ? '418' : expected);
      expect(contentType).to.equal('application/problem+json');
      expect(body).to.include({ status });
      expect(body['title']).to.be.a('string').and.not.equal('');
      if (!code.includes('ADMIN') && code !== 'ERR_NOT_READY')
        expect(body['requestId']).to.match(/^[\w-]{8,}$/);
      expect(JSON.stringify(body), 'nothing from inside').not.to.match(/node:|\.js|\.ts|stack|127\.0\.0\.1/);
    });
  }

  it('is in this table or in a test that names it', () => {
    for (const [code, file] of Object.entries(elsewhere))
      expect(readFileSync(join(projectRoot, 'test', file), 'utf8')).to.contain(code);
    const known = [...Object.keys(cases), ...Object.keys(elsewhere), ...unheard];
    expect(known.sort()).to.deep.equal([...documented.keys()].sort());
  });
});
