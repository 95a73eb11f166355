import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { valuesOf } from '../support/echo.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { openRaw } from '../support/raw-connection.ts';
import { startUpstream } from '../support/upstream.ts';

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
    const route = (name: string, middlewares: string): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    gateway = await startGateway(cleanup, {
      files: {
        'routes.yaml': [route('plain', '')].join('---\n'),
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

  it('cannot have a request forwarded without the host that it was matched by', async () => {
    const { fields } = await send('GET http://tenant.example/plain HTTP/1.0');
    expect(valuesOf(fields, 'host')).to.deep.equal(['tenant.example']);
  });
});
