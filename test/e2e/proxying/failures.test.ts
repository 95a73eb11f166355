import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import type { RawConnection, RawServer } from '../../support/raw-connection.ts';
import { request } from '../../support/request.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { startUpstream } from '../../support/upstream.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const half = 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf';

/** Each worker has a rotation and a pool of its own: what is counted here is counted in one. */
const oneWorker = ['--workers', '1'];

describe('an upstream that fails', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  const servers: Record<string, RawServer> = {};

  /** Status and code of the gateway's own answer. */
  const failure = async (path: string, method = 'GET'): Promise<string> => {
    const body = method === 'POST' ? 'body' : undefined;
    const answer = await request(`${gateway.url}${path}`, { method, ...(body && { body }) });
    const { code } = answer.json() as { code: string };
    return `${answer.status} ${code}`;
  };
  const connectionsTo = (name: string): number => servers[name]?.connections.length ?? 0;

  before(async () => {
    const behaviours: Record<string, (connection: RawConnection) => unknown> = {
      silent: () => undefined,
      'resets-at-once': ({ socket }) => socket.resetAndDestroy(),
      'ends-at-head': async (connection) => {
        await connection.head();
        connection.socket.end();
      },
      'resets-in-head': async (connection) => {
        await connection.head();
        connection.socket.write('HTTP/1.1 200 OK\r\ncontent-', () => connection.socket.resetAndDestroy());
      },
      garbage: async (connection) => {
        await connection.head();
        connection.send('SSH-2.0-OpenSSH_9.6\r\n\r\n');
      },
      'two-lengths': async (connection) => {
        await connection.head();
        connection.send('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok');
      },
      'dies-in-body': async (connection) => {
        await connection.head();
        connection.socket.write(half, () => connection.socket.destroy());
      },
      'dies-in-chunks': async (connection) => {
        await connection.head();
        connection.socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n', () =>
          connection.socket.destroy(),
        );
      },
      'stalls-in-body': async (connection) => {
        await connection.head();
        connection.send(half);
      },
      'closes-second': async (connection) => {
        await connection.head();
        connection.send(ok);
        // As a server does whose keep-alive timer fires right when the next request arrives.
        await connection.until(/./);
        connection.socket.destroy();
      },
    };
    for (const [name, serve] of Object.entries(behaviours))
      servers[name] = await startRawServer(cleanup, serve);
    const url = (name: string): string => servers[name]?.url ?? '';
    const route = (name: string, upstream: string, more = ''): string =>
      routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [${upstream}]\n${more}`);
    const unhealthy = await startUpstream(cleanup, (incoming, response) => {
      response.statusCode = 503;
      response.end();
      incoming.resume();
    });
    gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'routes.yaml': [
          ...Object.keys(behaviours).map((name) => route(name, `{ url: "${url(name)}" }`)),
          route('refuses', `{ url: "http://127.0.0.1:${await freePort()}" }`),
          route('missing', '{ name: nobody }'),
          route('sick', '{ name: sick }'),
          route('narrow', '{ name: narrow }'),
          route('late-head', `{ url: "${url('silent')}" }`, 'timeouts: { attempt: 150ms }'),
          route('late-all', `{ url: "${url('silent')}" }`, 'timeouts: { request: 150ms }'),
          route('idle', `{ url: "${url('stalls-in-body')}" }`, 'timeouts: { idle: 150ms }'),
          route('cut', `{ url: "${url('stalls-in-body')}" }`, 'timeouts: { request: 150ms }'),
          route('no-handshake', '{ name: no-handshake }'),
          resourceDocument(
            'Upstream',
            'sick',
            `endpoints: [{ url: "${unhealthy.url}" }]\nhealthCheck: { path: /, interval: 50ms, unhealthy: 1 }`,
          ),
          resourceDocument(
            'Upstream',
            'narrow',
            `endpoints: [{ url: "${url('silent')}" }]\nmaxConnections: 1\ntimeouts: { connect: 10s }`,
          ),
          resourceDocument(
            'Upstream',
            'no-handshake',
            `endpoints: [{ url: "${url('silent').replace('http', 'https')}" }]\ntimeouts: { connect: 150ms }`,
          ),
        ].join('---\n'),
      },
    });
  });

  it('is answered 502 when it refuses, goes before its head is whole, or does not speak HTTP', async () => {
    expect(await failure('/refuses')).to.equal('502 ERR_UPSTREAM_CONNECT');
    expect(await failure('/resets-at-once')).to.be.oneOf([
      '502 ERR_UPSTREAM_RESET',
      '502 ERR_UPSTREAM_CONNECT',
    ]);
    expect(await failure('/ends-at-head')).to.equal('502 ERR_UPSTREAM_RESET');
    expect(await failure('/ends-at-head', 'POST')).to.equal('502 ERR_UPSTREAM_RESET');
    expect(await failure('/resets-in-head')).to.equal('502 ERR_UPSTREAM_RESET');
    expect(await failure('/garbage')).to.equal('502 ERR_UPSTREAM_PROTOCOL');
    expect(await failure('/two-lengths')).to.equal('502 ERR_UPSTREAM_PROTOCOL');
    // On a new connection a lost answer is no stale connection: nothing was sent twice.
    expect(connectionsTo('ends-at-head')).to.equal(2);
    expect(connectionsTo('resets-in-head')).to.equal(1);
  });

  it('is answered 503 when none is there, none is healthy, or too many wait for it', async () => {
    expect(await failure('/missing')).to.equal('503 ERR_UPSTREAM_MISSING');
    await eventually(async () => (await failure('/sick')) === '503 ERR_NO_HEALTHY_ENDPOINT');
    const waiting: RawConnection[] = [];
    const inFlight = 'mgateway_requests_in_flight{route="default/narrow"}';
    let busy = '';
    // One is served, some wait; the first that is refused is answered at once.
    for (let i = 0; i < 64 && busy === ''; i++) {
      const client = await openRaw(cleanup, gateway.port);
      client.send('GET /narrow HTTP/1.1\r\nhost: a.test\r\n\r\n');
      waiting.push(client);
      await eventually(async () => {
        if (client.text.includes('\r\n\r\n')) busy = client.text;
        return busy !== '' || (await gateway.metric(inFlight)) === i + 1;
      });
    }
    expect(busy).to.match(/^HTTP\/1\.1 503 [^]*"ERR_UPSTREAM_BUSY"/);
    expect(waiting.length).to.be.above(1);
    for (const { socket } of waiting) socket.destroy();
    await eventually(async () => (await gateway.metric(inFlight)) === 0);
  });

  it('is answered 504 when it is late: connection, head, or all of it', async () => {
    expect(await failure('/no-handshake')).to.equal('504 ERR_UPSTREAM_CONNECT_TIMEOUT');
    expect(await failure('/late-head')).to.equal('504 ERR_UPSTREAM_TIMEOUT');
    expect(await failure('/late-all')).to.equal('504 ERR_REQUEST_TIMEOUT');
    for (const { gone } of servers['silent']?.connections ?? []) await gone;
  });

  it('breaks the client connection visibly when it dies or stalls in the middle of its answer', async () => {
    for (const path of ['/dies-in-body', '/idle', '/cut']) {
      const client = await openRaw(cleanup, gateway.port);
      client.send(`GET ${path} HTTP/1.1\r\nhost: a.test\r\n\r\n`);
      await client.until(/content-length: 10\r\n\r\nhalf/);
      await client.gone;
      expect(client.text, path).to.equal('');
    }
    const client = await openRaw(cleanup, gateway.port);
    client.send('GET /dies-in-chunks HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await client.until(/\r\n\r\n4\r\nhalf\r\n/);
    await client.gone;
    // No last chunk: nobody takes it for a whole answer.
    expect(client.text).to.equal('');
    await servers['stalls-in-body']?.connections.at(-1)?.gone;
  });

  it('is asked once more for a GET whose kept-alive connection it closed at that moment, never for a POST', async () => {
    const stale = async (method: string): Promise<string> => {
      const before = connectionsTo('closes-second');
      // The pool may hold a connection of the test before: a POST that fails empties it.
      const warm = await request(`${gateway.url}/closes-second`);
      expect(warm.status).to.equal(200);
      const answer = await request(`${gateway.url}/closes-second`, {
        method,
        ...(method === 'GET' ? {} : { body: 'pay' }),
      });
      return `${answer.status} after ${connectionsTo('closes-second') - before} connections`;
    };
    expect(await stale('POST')).to.equal('502 after 1 connections');
    expect(await stale('GET')).to.equal('200 after 2 connections');
    const retried =
      'mgateway_upstream_retries_total{upstream="' +
      servers['closes-second']?.url +
      '",reason="stale_connection"}';
    expect(await gateway.metric(retried)).to.equal(1);
    expect(await stale('PUT')).to.equal('200 after 2 connections');
  });

  it('leaves nothing in flight', async () => {
    const text = await gateway.metrics();
    const busy = text.split('\n').filter((line) => /^mgateway_requests_in_flight\{.* [^0]/.test(line));
    expect(busy).to.deep.equal([]);
    expect(await gateway.metric('mgateway_worker_restarts_total')).to.equal(0);
  });
});
