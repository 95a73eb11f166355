import { expect } from 'chai';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import type { RawConnection } from '../../support/raw-connection.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { startUpstream } from '../../support/upstream.ts';

const handshake =
  'GET /tunnel HTTP/1.1\r\nhost: a.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
  'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
  'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
/** 1001 as a server says it, and as a client does: with four bytes of mask. */
const goingAway = '\x88\x02\x03\xe9';

const maskedClose = /\x88\x82[^]{6}/;

function unmasked(frame: string): string {
  const bytes = Buffer.from(frame.slice(-6), 'latin1');
  return [4, 5].map((i) => String.fromCharCode((bytes[i] as number) ^ (bytes[i - 4] as number))).join('');
}

describe('a stream', () => {
  const cleanup = cleanupAfterEach();
  /** Answers under way at the upstream, by path; each has sent its head and one piece. */
  const answers = new Map<string, ServerResponse>();
  const uploads: string[] = [];
  let upstreamUrl: string;
  /** What ended at the upstream: paths whose exchange was broken. */
  const broken: string[] = [];

  beforeEach(async () => {
    answers.clear();
    broken.length = uploads.length = 0;
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      const path = incoming.url ?? '';
      answers.set(path, response);
      response.on('close', () => {
        if (!response.writableFinished) broken.push(path);
      });
      incoming.on('data', (chunk: Buffer) => uploads.push(chunk.toString()));
      incoming.on('error', () => undefined);
      if (path.endsWith('/length')) response.setHeader('content-length', 12);
      if (!path.endsWith('/awaited')) response.write('first ');
    });
    const sockets = new WebSocketServer({ server: upstream.server });
    sockets.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    upstreamUrl = upstream.url;
  });

  const route = (name: string, more = ''): string =>
    routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ name: main }]\n${more}`);
  const main = (more = ''): string =>
    resourceDocument('Upstream', 'main', `endpoints: [{ url: "${upstreamUrl}" }]\n${more}`);
  const openSocket = async (port: number, path: string): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    socket.on('error', () => undefined);
    cleanup.add(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  const echoOf = async (socket: WebSocket, text: string): Promise<string> => {
    const message = once(socket, 'message') as Promise<[Buffer]>;
    socket.send(text);
    return (await message)[0].toString();
  };
  /** A long answer of which the first piece has come. */
  const openAnswer = async (port: number, path: string, version = '1.1'): Promise<RawConnection> => {
    const client = await openRaw(cleanup, port);
    client.send(`GET ${path} HTTP/${version}\r\nhost: a.test\r\n\r\n`);
    await client.until(/first /);
    return client;
  };

  it('is left alone by reloads that change or remove other routes, upstreams, limits and listeners, and its own (G6)', async () => {
    const [a, b] = [await freePort(), await freePort()];
    const gatewayWith = (listeners: readonly number[], limits: string): string =>
      resourceDocument(
        'Gateway',
        'default',
        `listeners: [${listeners.map((port) => `{ name: l${port}, port: ${port}, address: 127.0.0.1 }`).join(', ')}]\nlimits: { ${limits} }`,
      );
    const other = resourceDocument('Upstream', 'other', 'endpoints: [{ url: "http://127.0.0.1:1" }]');
    const limit = (requests: number): string =>
      resourceDocument('Middleware', 'limit', `rateLimit: { requests: ${requests}, per: 1s }`);
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayWith([a, b], 'requestBody: 1MiB'),
        'mine.yaml': [main(), limit(1000), route('mine', 'middlewares: [{ name: limit }]')].join('---\n'),
        'other.yaml': [other, route('other', 'drain: 0s'), route('more', 'drain: 0s')].join('---\n'),
      },
    });
    const sockets = [await openSocket(a, '/mine'), await openSocket(b, '/mine')];
    const long = [await openAnswer(a, '/mine/on-a'), await openAnswer(b, '/mine/on-b')];
    const upload = await openRaw(cleanup, a);
    upload.send('POST /mine/awaited HTTP/1.1\r\nhost: a.test\r\ncontent-length: 12\r\n\r\nfirst ');
    await eventually(() => uploads.length === 1);

    const changes: readonly (() => void)[] = [
      () => gateway.write('other.yaml', [other, route('other', 'timeouts: { request: 1s }')].join('---\n')),
      () => gateway.remove('other.yaml'),
      () =>
        gateway.write(
          'mine.yaml',
          [
            main('loadBalancer: { strategy: Random }'),
            limit(10),
            route('mine', 'timeouts: { idle: 9s }'),
          ].join('---\n'),
        ),
      () => gateway.write('gateway.yaml', gatewayWith([a, b], 'requestBody: 1KiB, connections: 100')),
      // The listener of half of them stops accepting.
      () => gateway.write('gateway.yaml', gatewayWith([a], 'requestBody: 1KiB')),
    ];
    for (const change of changes) {
      await gateway.reload(change);
      for (const socket of sockets) expect(await echoOf(socket, 'still here')).to.equal('still here');
    }
    await eventually(async () => {
      const client = await openRaw(cleanup, b).catch(() => undefined);
      client?.socket.destroy();
      return client === undefined;
    });
    expect(await echoOf(sockets[1] as WebSocket, 'on the closed listener')).to.equal(
      'on the closed listener',
    );
    upload.send('second');
    await eventually(() => uploads.join('') === 'first second');
    expect(broken).to.deep.equal([]);
    for (const response of answers.values()) response.end('last');
    for (const client of long) await client.until(/4\r\nlast\r\n0\r\n\r\n/);
    await upload.until(/200 OK[^]*last/);
    expect(await echoOf(sockets[0] as WebSocket, 'to the end')).to.equal('to the end');
  });

  it('of a removed route ends visibly when its drain is over, and not before', async () => {
    const rest = route('rest');
    const gateway = await startGateway(cleanup, {
      files: { 'routes.yaml': [main(), rest, route('short', 'drain: 600ms'), route('long')].join('---\n') },
    });
    const { port } = gateway;
    const socket = await openSocket(port, '/short');
    const chunked = await openAnswer(port, '/short/chunked');
    const counted = await openAnswer(port, '/short/length');
    const old = await openAnswer(port, '/short/old', '1.0');
    const reset = new Promise((resolve) => old.socket.once('error', resolve));
    const awaited = await openRaw(cleanup, port);
    awaited.send('POST /short/awaited HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100\r\n\r\nfirst ');
    await eventually(() => uploads.length === 1);
    const kept = await openAnswer(port, '/long/kept');
    const others = await openSocket(port, '/rest');

    const removed = performance.now();
    await gateway.reload(() => gateway.write('routes.yaml', [main(), rest].join('---\n')));
    expect(await echoOf(socket, 'still here')).to.equal('still here');
    const closed = once(socket, 'close') as Promise<[number]>;
    expect(await awaited.until(/ERR_ROUTE_REMOVED/)).to.match(/^HTTP\/1\.1 503 /);
    expect(performance.now() - removed).to.be.greaterThan(600);
    expect((await closed)[0]).to.equal(1001);
    await Promise.all([chunked.gone, counted.gone, old.gone]);
    expect(chunked.text).not.to.include('0\r\n\r\n');
    // Without a length or chunks only a reset tells the client that a part is missing.
    expect(await reset).to.include({ code: 'ECONNRESET' });
    await eventually(() => broken.length === 4);
    expect(kept.isOver).to.equal(false);
    expect(await echoOf(others, 'not mine')).to.equal('not mine');
    const inFlight = 'mgateway_requests_in_flight{route="default/short"}';
    await eventually(async () => (await gateway.metric(inFlight)) === 0);
    answers.get('/long/kept')?.end('last');
    await kept.until(/last\r\n0\r\n\r\n/);
  });

  it('goes on where the route comes back before its drain is over', async () => {
    const files = (more: string): string => [main(), route('rest'), more].join('---\n');
    const mine = route('mine', 'drain: 1s');
    const gateway = await startGateway(cleanup, { files: { 'routes.yaml': files(mine) } });
    const socket = await openSocket(gateway.port, '/mine');
    await gateway.reload(() => gateway.write('routes.yaml', files('')));
    const other = await openSocket(gateway.port, '/rest');
    await gateway.reload(() => gateway.write('routes.yaml', files(mine)));
    const until = performance.now() + 1_300;
    await eventually(async () => {
      expect(await echoOf(other, 'tick')).to.equal('tick');
      return performance.now() > until;
    });
    expect(await echoOf(socket, 'still here')).to.equal('still here');
  });

  describe('that is a WebSocket in the middle of a frame', () => {
    async function open(frames: { readonly down: string; readonly up: string }): Promise<{
      readonly gateway: RunningGateway;
      readonly client: RawConnection;
      readonly upstream: RawConnection;
    }> {
      const server = await startRawServer(cleanup, async (connection) => {
        await connection.head();
        connection.send(accepted + frames.down);
      });
      const gateway = await startGateway(cleanup, {
        files: {
          'rest.yaml': routeDocument(
            'rest',
            `matches: [{ path: { exact: /rest } }]\nupstreams: [{ url: "${server.url}" }]`,
          ),
          'tunnel.yaml': routeDocument(
            'tunnel',
            `drain: 0s\nmatches: [{ path: { exact: /tunnel } }]\nupstreams: [{ url: "${server.url}" }]`,
          ),
        },
      });
      const client = await openRaw(cleanup, gateway.port);
      client.send(handshake);
      await client.head();
      client.send(frames.up);
      const upstream = server.connections[0] as RawConnection;
      await client.until(new RegExp(`^${frames.down}`));
      await upstream.until(new RegExp(`^${frames.up}`));
      return { gateway, client, upstream };
    }

    it('gets its Close frame behind that frame and nothing after it, on the side of the client', async () => {
      // "abcdef" as far as "abc".
      const { gateway, client, upstream } = await open({ down: '\x81\x06abc', up: '' });
      gateway.remove('tunnel.yaml');
      // The other direction is between frames: its Close comes at once.
      expect(unmasked(await upstream.until(maskedClose))).to.equal('\x03\xe9');
      upstream.send('d');
      await client.until(/^d$/);
      upstream.send('ef\x81\x02no');
      expect(await client.until(/\x03\xe9/)).to.equal(`ef${goingAway}`);
      // Each is closed when it has answered.
      client.send('\x88\x82\0\0\0\0\x03\xe9');
      await client.gone;
      expect(upstream.isOver).to.equal(false);
      upstream.send(goingAway);
      await upstream.gone;
      expect([client.text, upstream.text]).to.deep.equal(['', '']);
    });

    it('gets its Close frame behind that frame and nothing after it, on the side of the upstream', async () => {
      // The same masked by zeros.
      const { gateway, client, upstream } = await open({ down: '', up: '\x81\x86\0\0\0\0abc' });
      gateway.remove('tunnel.yaml');
      expect(await client.until(/\x03\xe9/)).to.equal(goingAway);
      client.send('d');
      await upstream.until(/^d$/);
      client.send('ef\x81\x82\0\0\0\0no\x88\x82\0\0\0\0\x03\xe9');
      const seen = await upstream.until(maskedClose);
      expect(seen.slice(0, 4)).to.equal('ef\x88\x82');
      expect(unmasked(seen)).to.equal('\x03\xe9');
      upstream.send(goingAway);
      await Promise.all([client.gone, upstream.gone]);
      expect([client.text, upstream.text]).to.deep.equal(['', '']);
    });

    it('is closed within a few seconds where neither the frame goes on nor an answer comes', async () => {
      const { gateway, client, upstream } = await open({ down: '\x81\x06abc', up: '' });
      const removed = performance.now();
      gateway.remove('tunnel.yaml');
      await upstream.until(maskedClose);
      await Promise.all([client.gone, upstream.gone]);
      expect(performance.now() - removed).to.be.lessThan(8_000);
      expect(client.text).to.equal('');
    });
  });
});
