import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { valuesOf } from '../support/echo.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { openRaw, startRawServer } from '../support/raw-connection.ts';
import { request } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';

const secret = 'a secret of at least thirty-two bytes';

/** What an upstream got, trailers too. */
interface Got {
  readonly fields: readonly string[];
  readonly trailers: readonly string[];
}

describe('a hostile client', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;

  before(async () => {
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      incoming.resume();
      incoming.on('end', () =>
        response.end(JSON.stringify({ fields: incoming.rawHeaders, trailers: incoming.rawTrailers })),
      );
    });
    const talkative = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.send(
        'HTTP/1.1 103 Early Hints\r\nserver: internal\r\nlink: </a.css>\r\n\r\n' +
          'HTTP/1.1 200 OK\r\nserver: internal\r\ntransfer-encoding: chunked\r\n\r\n' +
          '2\r\nok\r\n0\r\nserver: internal\r\nx-checksum: 1\r\n\r\n',
      );
    });
    const route = (name: string, middlewares: string, url = upstream.url): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${url}" }]`,
      );
    gateway = await startGateway(cleanup, {
      env: { SECURITY_TEST_SECRET: secret },
      files: {
        'routes.yaml': [
          route(
            'signed',
            '{ jwt: { issuers: [{ issuer: a, secret: { env: SECURITY_TEST_SECRET } }], claimsToHeaders: { sub: x-user-id, role: x-role } } }',
          ),
          route(
            'edited',
            '{ requestHeaders: { set: { x-gateway: edge }, remove: [x-internal], rename: { x-from: x-to } } }',
          ),
          route('talkative', '{ responseHeaders: { remove: [server] } }', talkative.url),
          route('plain', ''),
        ].join('---\n'),
      },
    });
  });

  const send = async (head: string, rest = ''): Promise<Got> => {
    const connection = await openRaw(cleanup, gateway.port);
    connection.send(`${head}\r\n\r\n${rest}`);
    expect(await connection.head()).to.match(/^HTTP\/1\.1 200 /);
    return JSON.parse(await connection.until(/\{.*\}/)) as Got;
  };
  const chunked = (path: string): string => `POST ${path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked`;
  const trailers = (fields: string): string => `3\r\nabc\r\n0\r\n${fields}\r\n\r\n`;

  it('cannot say by trailers who it is', async () => {
    const { trailers: got } = await send(
      chunked('/plain'),
      trailers('x_forwarded_for: 192.0.2.1\r\nx-forwarded-prefix: /x\r\nx-request-id: mine\r\nx-other: ours'),
    );
    expect(got).to.deep.equal(['x-other', 'ours']);
  });

  it('cannot bring back by trailers what a middleware sets or removes', async () => {
    const signed = await send(
      `${chunked('/signed')}\r\nauthorization: Bearer ${token({ iss: 'a', sub: 'ann' })}`,
      trailers('X-User-Id: root\r\nx_role: admin\r\nx-checksum: 1'),
    );
    expect(valuesOf(signed.fields, 'x-user-id')).to.deep.equal(['ann']);
    expect(signed.trailers).to.deep.equal(['x-checksum', '1']);

    const edited = await send(
      chunked('/edited'),
      trailers('x-gateway: mine\r\nx-internal: 1\r\nx_to: 2\r\nx-from: 3\r\nx-checksum: 1'),
    );
    expect(edited.trailers).to.deep.equal(['x-checksum', '1']);
  });

  it('cannot be taken for another user by a name that no header can hold', async () => {
    for (const sub of ['ann\ud800', 'ann\udfff', 'ann\r\nx-role: admin', ' ann']) {
      const connection = await openRaw(cleanup, gateway.port);
      connection.send(
        `GET /signed HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token({ iss: 'a', sub })}\r\n\r\n`,
      );
      expect(await connection.head(), JSON.stringify(sub)).to.match(/^HTTP\/1\.1 401 /);
    }
  });

  it('cannot stand beside a header that requestHeaders sets or removes by writing it with underscores', async () => {
    const { fields } = await send(
      'GET /edited HTTP/1.1\r\nhost: a\r\nX_Gateway: mine\r\nx_internal: 1\r\nx-from: 2\r\nx_to: 3\r\nx_other: 4',
    );
    expect(valuesOf(fields, 'x-gateway')).to.deep.equal(['edge']);
    expect(valuesOf(fields, 'x-to')).to.deep.equal(['2']);
    expect(fields.filter((name) => name.includes('_'))).to.deep.equal(['x_other']);
  });

  it('sees nothing of what responseHeaders removes, neither in early hints nor in trailers', async () => {
    const connection = await openRaw(cleanup, gateway.port);
    connection.send('GET /talkative HTTP/1.1\r\nhost: a\r\n\r\n');
    const answer = await connection.until(/\r\n0\r\n[^]*\r\n\r\n/);
    expect(answer)
      .to.match(/^HTTP\/1\.1 103 /)
      .and.include('link: </a.css>')
      .and.include('x-checksum: 1');
    expect(answer).not.to.include('internal');
  });

  it('cannot say by a field which path or proxy is meant, in the head or in trailers', async () => {
    const { fields, trailers: got } = await send(
      `${chunked('/plain')}\r\nProxy: http://evil.example\r\nX-Original-URL: /admin\r\nX_Rewrite_URL: /admin\r\nx-other: ours`,
      trailers(
        'proxy: http://evil.example\r\nx_original_url: /admin\r\nX-Rewrite-URL: /admin\r\nx-other: ours',
      ),
    );
    expect(fields.map((name) => name.toLowerCase()))
      .to.include('x-other')
      .and.not.include('proxy');
    expect(fields).not.to.include('/admin');
    expect(got).to.deep.equal(['x-other', 'ours']);
  });

  it('cannot have a request forwarded without the host that it was matched by', async () => {
    const { fields } = await send('GET http://tenant.example/plain HTTP/1.0');
    expect(valuesOf(fields, 'host')).to.deep.equal(['tenant.example']);
  });
});

/**
 * A server that takes a path for as many others as any server in use does: escapes decoded again and again, no case,
 * no `;parameters`, no blanks, no empty segments, and no slash at the end.
 */
function generousReading(target: string): string {
  let path = target.split('?', 1)[0] ?? '';
  for (let i = 0; i < 4; i++)
    path = path.replace(/%[0-7][0-9A-Fa-f]/g, (escape) =>
      String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
    );
  const plain = path
    .replaceAll('\\', '/')
    .replace(/;[^/]*|\s/g, '')
    .toLowerCase();
  return new URL(plain.replace(/\/{2,}/g, '/'), 'http://a').pathname.replace(/(?<=.)\/$/, '');
}

/** A middle part is a place of its own: `/x/../admin`. */
const spellings = [
  '/', '//', '/.', '/./', '/%2e', '/%2E/', '/x/..', '/x/%2e%2e/', '%2f', '%2F', '%5c', '/%2f', ';x', ';x/', '/;x', '/;x/', ';x=1;y/',
  '%3b', '%3bx/', '/%3b', '%20', '%20/', '/%20', '%09', '%00', '?', '/?', '?/', '/?x=/', '%3f', '%23', '#', '/#x', '%252f', '%252e', '/%252e',
  '/..;/admin', '/.;/', '%c0%af', '%ef%bc%8f', '%e3%80%82', '\\', '/\\',
]; // prettier-ignore

describe('a guarded path beside an open prefix', () => {
  const cleanup = cleanupAfterAll();
  const jwt = '{ jwt: { issuers: [{ issuer: a, secret: { env: SECURITY_TEST_SECRET } }] } }';
  const open = '{ requestHeaders: { set: { x-kind: open } } }';

  it('is reached by no other spelling of it, whatever the server behind takes for the same', async () => {
    const upstream = await startUpstream(cleanup, (_, response) => response.end());
    const route = (name: string, match: string, middlewares: string): string =>
      routeDocument(
        name,
        `matches: [{ path: { ${match} } }]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const gateway = await startGateway(cleanup, {
      env: { SECURITY_TEST_SECRET: secret },
      files: {
        'routes.yaml': [
          route('exact', 'exact: /admin', jwt),
          route('folder', 'exact: /inner/', jwt),
          route('template', 'template: "/users/{id}"', jwt),
          route('prefix', 'prefix: /area', jwt),
          route('open', 'prefix: /', open),
        ].join('---\n'),
      },
    });
    const guarded = { '/admin': '/admin', '/inner/': '/inner', '/users/7': '/users/7', '/area': '/area' };
    const tried: string[] = [];
    for (const [path, resource] of Object.entries(guarded)) {
      const words = path.replace(/\/$/, '');
      const all = [
        words, `${words}/`, words.toUpperCase(), `${words.toUpperCase()}/`, `/${words}`, `/.${words}`, `/x/..${words}`, `/x/%2e%2e${words}/`, `;x${words}`, `/;x${words}/`,
        words.replace(/[a-z]/, (first) => `%${first.charCodeAt(0).toString(16)}`), `${words.replace(/[a-z]/, (first) => `%25${first.charCodeAt(0).toString(16)}`)}/`,
        ...spellings.flatMap((end) => [words + end, words.toUpperCase() + end]),
      ]; // prettier-ignore
      for (const target of all.filter((one) => one.startsWith('/'))) {
        const connection = await openRaw(cleanup, gateway.port);
        connection.send(`GET ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
        const status = /^HTTP\/1\.1 (\d+)/.exec(await connection.head())?.[1];
        tried.push(target);
        expect(status, target).to.be.oneOf(['200', '400', '401']);
      }
      const reached = upstream.requests.filter(({ url }) => generousReading(url) === resource);
      expect(reached.map(({ url }) => url)).to.deep.equal([]);
    }
    expect(tried).to.have.length.above(300);
    // Paths that are merely odd are served.
    for (const path of ['/admin/x', '/administrator', '/Users/7/x;v=1', '/a%20b', '/100%25', '/inner/x/'])
      expect((await request(gateway.url + path)).status, path).to.equal(200);
  });

  it('is guarded as soon as a middleware of that name begins to refuse', async () => {
    const upstream = await startUpstream(cleanup, 'page');
    const routes = [
      routeDocument(
        'exact',
        `matches: [{ path: { exact: /admin } }]\nmiddlewares: [{ name: check }]\nupstreams: [{ url: "${upstream.url}" }]`,
      ),
      routeDocument('open', `matches: [{ path: { prefix: / } }]\nupstreams: [{ url: "${upstream.url}" }]`),
    ];
    const check = (block: string): string =>
      `apiVersion: mgateway.dev/v1alpha1\nkind: Middleware\nmetadata: { name: check }\nspec: ${block}\n`;
    const gateway = await startGateway(cleanup, {
      env: { SECURITY_TEST_SECRET: secret },
      files: { 'routes.yaml': routes.join('---\n'), 'check.yaml': check(open) },
    });
    expect((await request(`${gateway.url}/admin/`)).status).to.equal(200);

    await gateway.reload(() => gateway.write('check.yaml', check(jwt)));
    const answer = await request(`${gateway.url}/admin/`);
    expect(answer.status).to.equal(400);
    expect(answer.json()).to.deep.include({ code: 'ERR_PATH_REJECTED' });
    const { body } = await request(
      `${gateway.admin}/api/v1/explain?url=${encodeURIComponent(`${gateway.url}/admin/`)}`,
    );
    expect(body).to.include('read in another way (with a slash at its end more or less)');

    await gateway.reload(() => gateway.write('check.yaml', check(open)));
    expect((await request(`${gateway.url}/admin/`)).status).to.equal(200);
  });
});

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
