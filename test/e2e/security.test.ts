import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { valuesOf } from '../support/echo.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { openRaw, startRawServer } from '../support/raw-connection.ts';
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

  it('cannot have a request forwarded without the host that it was matched by', async () => {
    const { fields } = await send('GET http://tenant.example/plain HTTP/1.0');
    expect(valuesOf(fields, 'host')).to.deep.equal(['tenant.example']);
  });
});

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
