import { expect } from 'chai';
import { Agent } from 'node:http';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { echo, echoed } from '../../support/echo.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import { request } from '../../support/request.ts';
import { startUpstream } from '../../support/upstream.ts';
import type { RunningUpstream } from '../../support/upstream.ts';

/** Each worker has a rotation and a pool of its own: what is counted here is counted in one. */
const oneWorker = ['--workers', '1'];

describe('limits.connections', () => {
  const cleanup = cleanupAfterAll();

  it('refuses what is beyond it, counts that, and says so once and not for each', async () => {
    const upstream = await startUpstream(cleanup, echo());
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      gatewaySpec: 'limits: { connections: 2 }',
      files: {
        'routes.yaml': routeDocument(
          'echo',
          `matches: [{ path: { prefix: /echo } }]\nupstreams: [{ url: "${upstream.url}" }]`,
        ),
      },
    });
    const refused = 'mgateway_connections_refused_total{listener="http"}';
    expect(await gateway.metrics()).to.include(`${refused} 0`);
    const kept = [await openRaw(cleanup, gateway.port), await openRaw(cleanup, gateway.port)];
    const ask = 'GET /echo HTTP/1.1\r\nhost: a\r\n\r\n';
    for (const connection of kept) {
      connection.send(ask);
      expect(await connection.head()).to.match(/^HTTP\/1\.1 200 /);
    }
    for (let i = 0; i < 3; i++) {
      const connection = await openRaw(cleanup, gateway.port);
      await connection.gone;
      expect(connection.text).to.equal('');
    }
    await eventually(async () => (await gateway.metric(refused)) === 3);
    const lines = (): number => gateway.output().split('connections are refused').length - 1;
    await eventually(() => lines() > 0);
    expect(lines()).to.equal(1);
    // Who is connected notices nothing, and makes room by going.
    kept[0]?.send(ask);
    kept[1]?.socket.destroy();
    await eventually(async () => (await gateway.metric('mgateway_open_connections{listener="http"}')) === 1);
    expect((await request(`${gateway.url}/echo`)).status).to.equal(200);
    expect(lines()).to.equal(1);
  });
});

describe('connections', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  let upstream: RunningUpstream;
  /** Connections that the upstream has accepted. */
  let accepted = 0;

  before(async () => {
    upstream = await startUpstream(cleanup, echo());
    upstream.server.on('connection', () => accepted++);
    const early = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      // It answers and closes as RFC 9112 §9.6 has it: its side first, then it reads on for a while.
      connection.socket.end(
        'HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\nconnection: close\r\n\r\ntoo large',
      );
    });
    const route = (name: string, url: string): string =>
      routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ url: "${url}" }]`);
    gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: { 'routes.yaml': [route('echo', upstream.url), route('early', early.url)].join('---\n') },
    });
  });

  it('are kept on both sides: 10,000 requests over one of each leave nothing behind', async function () {
    this.timeout(60_000);
    await request(`${gateway.url}/echo`);
    const descriptors = await gateway.metric('process_open_fds');
    const before = accepted;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanup.add(() => agent.destroy());
    const ports = new Set<number | undefined>();
    agent.on('free', (socket: { localPort?: number }) => ports.add(socket.localPort));
    for (let i = 0; i < 10_000; i++) {
      const { status } = await request(`${gateway.url}/echo/${i}`, { agent });
      if (status !== 200) throw new Error(`request ${i}: ${status}`);
    }
    expect(ports.size).to.equal(1);
    expect(accepted - before).to.be.at.most(1);
    agent.destroy();
    await eventually(async () => (await gateway.metric('mgateway_open_connections{listener="http"}')) === 0);
    expect(await gateway.metric('mgateway_requests_in_flight{route="default/echo"}')).to.equal(0);
    // The upstream's connection may be kept; nothing else.
    await eventually(async () => (await gateway.metric('process_open_fds')) <= descriptors + 2);
  });

  it('to an upstream are closed before their time at the upstream is over', async () => {
    await request(`${gateway.url}/echo`);
    const open = (): Promise<number> =>
      new Promise((resolve, reject) => {
        upstream.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      });
    expect(await open()).to.be.at.least(1);
    const from = performance.now();
    await eventually(async () => (await open()) === 0);
    // Node upstreams close at 5 s.
    expect(performance.now() - from).to.be.below(5000);
  });

  it('answer pipelined requests in their order, bodies and all', async () => {
    const client = await openRaw(cleanup, gateway.port);
    const head = (method: string, n: number): string => `${method} /echo/${n} HTTP/1.1\r\nhost: a.test\r\n`;
    client.send(
      `${head('GET', 1)}\r\n${head('POST', 2)}content-length: 5\r\n\r\nfirst` +
        `${head('POST', 3)}transfer-encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n` +
        `${head('GET', 4)}\r\n${head('GET', 5)}connection: close\r\n\r\n`,
    );
    const all = await client.until(/"url":"\/echo\/5"/);
    const urls = [...all.matchAll(/"url":"\/echo\/(\d)"/g)].map((match) => match[1]);
    expect(urls).to.deep.equal(['1', '2', '3', '4', '5']);
    expect(all).to.include('"body":"first"').and.to.include('"body":"second"');
    await client.gone;
  });

  it('with an HTTP/1.0 client end after the answer, unless it asks to keep them', async () => {
    const client = await openRaw(cleanup, gateway.port);
    client.send('GET /echo HTTP/1.0\r\nhost: a.test\r\nconnection: keep-alive\r\n\r\n');
    expect((await client.head()).toLowerCase())
      .to.include('connection: keep-alive')
      .and.to.include('content-length');
    await client.until(/\}$/);
    client.send('GET /echo HTTP/1.0\r\nhost: a.test\r\n\r\n');
    await client.until(/\}$/);
    await client.gone;
  });

  it('carry an answer that comes before the upload is over to the client that is still sending', async () => {
    const client = await openRaw(cleanup, gateway.port);
    client.send('POST /early HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100000000\r\n\r\n');
    const piece = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const more = (): void => {
      while (!client.socket.destroyed && sent < 20_000_000) {
        sent += piece.length;
        if (!client.send(piece)) return;
      }
    };
    client.socket.on('drain', more);
    more();
    expect(await client.until(/too large/)).to.match(/^HTTP\/1\.1 413 [^]*\r\n\r\ntoo large$/);
    // The rest of the body can never be told from a next request: the connection ends.
    await client.gone;
  });

  it('take a next request after an early answer to a short body', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanup.add(() => agent.destroy());
    const answer = await request(`${gateway.url}/early`, { method: 'POST', body: 'x'.repeat(1000), agent });
    expect(answer).to.include({ status: 413, body: 'too large' });
    expect(echoed(await request(`${gateway.url}/echo`, { agent })).url).to.equal('/echo');
  });
});
