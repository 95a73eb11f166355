import { expect } from 'chai';
import { once } from 'node:events';
import { after, before, describe, it } from 'mocha';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { AddressInfo } from 'node:net';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import type { RawConnection, RawServer } from '../../support/raw-connection.ts';
import { resourceDocument } from '../../support/resource-document.ts';

/** G8 says 100 ms; a machine that is busy with other tests gets some more. */
const limitMs = 300;

/** Each worker has a rotation and a pool of its own: what is counted here is counted in one. */
const oneWorker = ['--workers', '1'];

describe('a client that goes away', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  /** Reads heads and never answers. */
  let silent: RawServer;
  /** Takes a head, and then nothing until it is told to read on. */
  let deaf: RawServer;
  /** Answers with an endless body. */
  let endless: RawServer;
  let socketServer: WebSocketServer;
  const measured: Record<string, number> = {};

  const upload = 'POST /silent HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100000000\r\n\r\n';
  const last = (server: RawServer): RawConnection => server.connections.at(-1) as RawConnection;
  /** Sends, waits until the upstream is where it should be, goes, and tells how long the upstream's socket stayed. */
  const leave = async (
    phase: string,
    server: RawServer,
    text: string,
    reached: (client: RawConnection) => unknown,
  ): Promise<void> => {
    const seen = server.connections.length;
    const client = await openRaw(cleanup, gateway.port);
    client.send(text);
    await eventually(() => server.connections.length > seen);
    await reached(client);
    expect(last(server).isOver, 'open so far').to.equal(false);
    const left = performance.now();
    client.socket.destroy();
    measured[phase] = (await last(server).gone) - left;
    expect(measured[phase]).to.be.below(limitMs);
  };

  before(async () => {
    silent = await startRawServer(cleanup, () => undefined);
    deaf = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.socket.pause();
    });
    endless = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const more = (): void => {
        while (!connection.socket.destroyed && connection.send(chunk));
      };
      connection.socket.on('drain', more);
      more();
    });
    socketServer = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(socketServer, 'listening');
    cleanup.add(() => {
      for (const client of socketServer.clients) client.terminate();
      socketServer.close();
    });
    const route = (name: string, upstream: string): string =>
      routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [${upstream}]`);
    gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'routes.yaml': [
          route('silent', `{ url: "${silent.url}" }`),
          route('endless', `{ url: "${endless.url}" }`),
          route('deaf', `{ url: "${deaf.url}" }`),
          // A TLS handshake that is never answered: the connection is being opened for ever.
          route('connecting', `{ url: "${silent.url.replace('http:', 'https:')}" }`),
          route('queued', '{ name: narrow }'),
          route('socket', `{ url: "http://127.0.0.1:${(socketServer.address() as AddressInfo).port}" }`),
          resourceDocument('Upstream', 'narrow', `endpoints: [{ url: "${silent.url}" }]\nmaxConnections: 1`),
        ].join('---\n'),
      },
    });
  });

  after(() => {
    const figures = Object.entries(measured).map(([phase, ms]) => `${phase} ${ms.toFixed(1)} ms`);
    console.log(`      upstream socket closed after the client went: ${figures.join(', ')}`);
  });

  it('has the upstream connection closed while the head of the answer is awaited', () =>
    leave('waiting for the head', silent, 'GET /silent HTTP/1.1\r\nhost: a.test\r\n\r\n', () =>
      last(silent).head(),
    ));

  it('has the connection closed that is still being opened', () =>
    leave('connecting', silent, 'GET /connecting HTTP/1.1\r\nhost: a.test\r\n\r\n', () =>
      // The first bytes of the handshake.
      eventually(() => last(silent).text.length > 0),
    ));

  it('has the upstream connection closed in the middle of its body', () =>
    leave('body going up', silent, upload, async (client) => {
      client.send('x'.repeat(100_000));
      await eventually(() => last(silent).text.length > 100_000);
    }));

  it('has the upstream connection closed in the middle of the answer, whether it reads or not', async () => {
    const get = 'GET /endless HTTP/1.1\r\nhost: a.test\r\n\r\n';
    await leave('body coming down', endless, get, (client) => eventually(() => client.text.length > 100_000));
    await leave('body coming down, client not reading', endless, get, async (client) => {
      await client.head();
      client.socket.pause();
      const upstream = last(endless).socket;
      // Everything between is full: what the upstream wrote stays.
      let before = -1;
      await eventually(
        () => {
          const stands = upstream.bytesWritten === before && upstream.writableLength > 0;
          before = upstream.bytesWritten;
          return stands;
        },
        { everyMs: 100 },
      );
    });
  });

  /** An upload of which the upstream takes nothing. Returns when what lies between is full. */
  const stuckUpload = async (bytes: number): Promise<{ client: RawConnection; sent: () => number }> => {
    const client = await openRaw(cleanup, gateway.port);
    client.send(`POST /deaf HTTP/1.1\r\nhost: a.test\r\ncontent-length: ${bytes}\r\n\r\n`);
    const piece = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const more = (): void => {
      if (client.socket.destroyed || sent === bytes) return;
      const next = piece.subarray(0, bytes - sent);
      client.socket.write(next, () => {
        sent += next.length;
        more();
      });
    };
    more();
    let before = -1;
    await eventually(
      () => {
        const stands = sent === before && sent > 0;
        before = sent;
        return stands;
      },
      { everyMs: 100 },
    );
    return { client, sent: () => sent };
  };
  const inFlight = 'mgateway_requests_in_flight{route="default/deaf"}';

  it('is noticed in the middle of an upload that nobody takes, whether it resets or ends', async () => {
    for (const how of ['resets', 'ends']) {
      const { client } = await stuckUpload(100_000_000);
      expect(await gateway.metric(inFlight), how).to.equal(1);
      const left = performance.now();
      if (how === 'resets') client.socket.resetAndDestroy();
      else client.socket.destroy();
      // The time of an idle upload is 60 s.
      await eventually(async () => (await gateway.metric(inFlight)) === 0, { withinMs: 8000 });
      measured[`upload that stands still, client ${how} (seen by a scrape)`] = performance.now() - left;
      last(deaf).socket.resume();
      await last(deaf).gone;
    }
  });

  it('has its upload whole if it stays and the upstream takes it after a while', async () => {
    const bytes = 20_000_000;
    const { client, sent } = await stuckUpload(bytes);
    // The gateway reads ahead: more has left the client than when all was full.
    const before = sent();
    await eventually(() => sent() > before);
    let came = last(deaf).text.length;
    last(deaf).socket.removeAllListeners('data');
    last(deaf).socket.on('data', (chunk: Buffer) => (came += chunk.length));
    last(deaf).socket.resume();
    await eventually(() => came === bytes);
    last(deaf).send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    expect(await client.head()).to.match(/^HTTP\/1\.1 200 /);
    expect(await gateway.metric(inFlight)).to.equal(0);
  });

  it('has its place in the queue given up: its request never reaches the upstream', async () => {
    const first = await openRaw(cleanup, gateway.port);
    const seen = silent.connections.length;
    first.send('GET /queued/first HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await eventually(() => silent.connections.length > seen);
    const upstream = last(silent);
    await upstream.head();
    const second = await openRaw(cleanup, gateway.port);
    second.send('GET /queued/second HTTP/1.1\r\nhost: a.test\r\n\r\n');
    const third = await openRaw(cleanup, gateway.port);
    third.send('GET /queued/third HTTP/1.1\r\nhost: a.test\r\n\r\n');
    const queued = 'mgateway_requests_in_flight{route="default/queued"}';
    await eventually(async () => (await gateway.metric(queued)) === 3);
    const left = performance.now();
    second.socket.destroy();
    await eventually(async () => (await gateway.metric(queued)) === 2, { everyMs: 1 });
    measured['queued (seen by a scrape)'] = performance.now() - left;
    upstream.send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    await first.head();
    expect(await upstream.head()).to.match(/^GET \/queued\/third /);
    expect(silent.connections.length).to.equal(seen + 1);
    upstream.send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    await third.head();
    expect(
      await gateway.metric('mgateway_requests_total{route="default/queued",method="GET",code="499"}'),
    ).to.equal(1);
  });

  it('has the other end of its tunnel closed', async () => {
    const client = await openRaw(cleanup, gateway.port);
    const opened = once(socketServer, 'connection') as Promise<[WebSocket]>;
    client.send(
      'GET /socket HTTP/1.1\r\nhost: a.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [socket] = await opened;
    expect(await client.head()).to.match(/^HTTP\/1\.1 101 /);
    const closed = once(socket, 'close');
    const left = performance.now();
    client.socket.destroy();
    await closed;
    measured['tunnel'] = performance.now() - left;
    expect(measured['tunnel']).to.be.below(limitMs);
  });

  it('is counted as 499, and leaves nothing in flight', async () => {
    const series = (route: string, method: string): string =>
      `mgateway_requests_total{route="default/${route}",method="${method}",code="499"}`;
    expect(await gateway.metric(series('silent', 'GET'))).to.equal(1);
    expect(await gateway.metric(series('silent', 'POST'))).to.equal(1);
    expect(await gateway.metric(series('connecting', 'GET'))).to.equal(1);
    for (const route of ['silent', 'endless', 'connecting', 'queued', 'socket']) {
      expect(await gateway.metric(`mgateway_requests_in_flight{route="default/${route}"}`), route).to.equal(
        0,
      );
    }
  });
});
