import { expect } from 'chai';
import { once } from 'node:events';
import { Agent } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { startBlackHole } from '../support/black-hole.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { openRaw, startRawServer } from '../support/raw-connection.ts';
import type { RawConnection } from '../support/raw-connection.ts';
import { request } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { startUpstream } from '../support/upstream.ts';
import type { RunningUpstream } from '../support/upstream.ts';

/** Each worker has a rotation and a pool of its own: what is counted here is counted in one. */
const oneWorker = ['--workers', '1'];

describe('load balancing', () => {
  const cleanup = cleanupAfterEach();
  const routeTo = (upstreams: string, more = ''): string =>
    routeDocument('all', `matches: [{ path: { prefix: / } }]\nupstreams: ${upstreams}\n${more}`);
  const pool = (endpoints: string, more = ''): string =>
    resourceDocument('Upstream', 'pool', `endpoints: ${endpoints}\n${more}`);
  const ask = async (gateway: RunningGateway): Promise<string> => (await request(`${gateway.url}/`)).body;
  const sequence = async (gateway: RunningGateway, times: number): Promise<string> => {
    let names = '';
    for (let i = 0; i < times; i++) names += await ask(gateway);
    return names;
  };
  const count = (names: string, name: string): number => names.split(name).length - 1;

  it('spreads requests over two backends in turn', async () => {
    const [a, b] = [await startUpstream(cleanup, 'a'), await startUpstream(cleanup, 'b')];
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(`[{ url: "${a.url}" }, { url: "${b.url}" }]`)}`,
      },
    });
    expect(await sequence(gateway, 10)).to.match(/^(ab){5}$|^(ba){5}$/);
    const answered = (upstream: RunningUpstream): string =>
      `mgateway_upstream_requests_total{upstream="default/pool",endpoint="${upstream.url}",code="200"}`;
    expect(await gateway.metric(answered(a))).to.equal(5);
    expect(await gateway.metric(answered(b))).to.equal(5);
  });

  it('gives each backend its weight, smoothly, and nothing to one of weight 0', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => startUpstream(cleanup, name)));
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[{ url: "${a?.url}", weight: 3 }, { url: "${b?.url}" }, { url: "${c?.url}", weight: 0 }]`,
        )}`,
      },
    });
    const names = await sequence(gateway, 16);
    expect([count(names, 'a'), count(names, 'b'), count(names, 'c')]).to.deep.equal([12, 4, 0]);
    // Smooth: the one of weight 1 is never asked twice within four requests.
    for (let i = 0; i < 16; i += 4) expect(count(names.slice(i, i + 4), 'b')).to.equal(1);
  });

  it('splits a route over upstreams by weight, and goes on where it was after a reload', async () => {
    const [a, b] = [await startUpstream(cleanup, 'a'), await startUpstream(cleanup, 'b')];
    const split = `[{ url: "${a.url}", weight: 9 }, { url: "${b.url}", weight: 1 }]`;
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: { 'all.yaml': routeTo(split) },
    });
    let names = await sequence(gateway, 7);
    await gateway.reload(() => gateway.write('all.yaml', routeTo(split, 'timeouts: { request: 9s }')));
    names += await sequence(gateway, 13);
    expect([count(names, 'a'), count(names, 'b')]).to.deep.equal([18, 2]);
    // The share that goes to a missing upstream is answered 503, not given to the other one.
    await gateway.reload(() =>
      gateway.write('all.yaml', routeTo(`[{ url: "${a.url}" }, { name: missing }]`)),
    );
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await request(`${gateway.url}/`)).status);
    expect(statuses.sort()).to.deep.equal([200, 200, 200, 503, 503, 503]);
  });

  it('sends less to the slow of two backends by least request', async () => {
    const fast = await startUpstream(cleanup, 'f');
    const slow = await startUpstream(cleanup, (_, response) => setTimeout(() => response.end('s'), 100));
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[{ url: "${fast.url}" }, { url: "${slow.url}" }]`,
          'loadBalancer: { strategy: LeastRequest }',
        )}`,
      },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    cleanup.add(() => agent.destroy());
    const answers: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 50; i++) answers.push((await request(`${gateway.url}/`, { agent })).body);
      }),
    );
    const names = answers.join('');
    // In turn it would be 100 each.
    expect(count(names, 'f')).to.be.above(140);
    expect(count(names, 's')).to.be.above(0);
  });

  it('takes a dead backend out by its health check and back in; the verdict survives a reload', async () => {
    const a = await startUpstream(cleanup, 'a');
    let alive = true;
    const b = await startUpstream(cleanup, (incoming, response) => {
      response.statusCode = incoming.url === '/healthz' && !alive ? 503 : 200;
      response.end('b');
    });
    const definition = `healthCheck: { path: /healthz, interval: 50ms, timeout: 1s, healthy: 2, unhealthy: 2 }`;
    const endpoints = `[{ url: "${a.url}" }, { url: "${b.url}" }]`;
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: { 'route.yaml': routeTo('[{ name: pool }]'), 'pool.yaml': pool(endpoints, definition) },
    });
    const healthy = `mgateway_upstream_endpoint_healthy{upstream="default/pool",endpoint="${b.url}"}`;
    await eventually(async () => (await gateway.metric(healthy)) === 1);
    expect(await sequence(gateway, 4)).to.match(/^(ab|ba){2}$/);

    alive = false;
    await eventually(async () => (await gateway.metric(healthy)) === 0);
    expect(await sequence(gateway, 6)).to.equal('aaaaaa');
    await gateway.reload(() => {
      gateway.write('route.yaml', routeTo('[{ name: pool }]', 'timeouts: { request: 9s }'));
    });
    expect(await sequence(gateway, 6)).to.equal('aaaaaa');
    await gateway.reload(() =>
      gateway.write('pool.yaml', pool(`[{ url: "${a.url}", weight: 2 }, { url: "${b.url}" }]`, definition)),
    );
    expect(await sequence(gateway, 6)).to.equal('aaaaaa');

    alive = true;
    await eventually(async () => (await gateway.metric(healthy)) === 1);
    expect(count(await sequence(gateway, 6), 'b')).to.equal(2);
  });

  it('answers 503 when no backend is healthy: it fails closed', async () => {
    const b = await startUpstream(cleanup, (incoming, response) => {
      response.statusCode = incoming.url === '/healthz' ? 500 : 200;
      response.end();
    });
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[{ url: "${b.url}" }]`,
          'healthCheck: { path: /healthz, interval: 50ms, unhealthy: 1 }',
        )}`,
      },
    });
    const answer = await eventually(async () => {
      const got = await request(`${gateway.url}/`);
      return got.status === 503 && got;
    });
    expect(answer.json()).to.include({ code: 'ERR_NO_HEALTHY_ENDPOINT' });
  });

  it('moves on to another backend when one cannot be connected to, also with a body', async () => {
    const a = await startUpstream(cleanup, (incoming, response) => void incoming.pipe(response));
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(`[{ url: "${nobody}" }, { url: "${a.url}" }]`)}`,
      },
    });
    for (let i = 0; i < 6; i++) {
      const answer = await request(`${gateway.url}/`, { method: 'POST', body: `body ${i}` });
      expect(answer).to.include({ status: 200, body: `body ${i}` });
    }
    expect(
      await gateway.metric(
        'mgateway_upstream_retries_total{upstream="default/pool",reason="connect_failure"}',
      ),
    ).to.equal(3);
  });

  it('moves on also when a connection is not answered in time', async function () {
    const hole = await startBlackHole(cleanup);
    if (hole === undefined) this.skip();
    const a = await startUpstream(cleanup, (incoming, response) => void incoming.pipe(response));
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[{ url: "http://127.0.0.1:${hole}" }, { url: "${a.url}" }]`,
          'timeouts: { connect: 200ms }',
        )}`,
      },
    });
    const retried = (reason: string): string =>
      `mgateway_upstream_retries_total{upstream="default/pool",reason="${reason}"}`;
    for (let i = 0; i < 4; i++) {
      const answer = await request(`${gateway.url}/`, { method: 'POST', body: `body ${i}` });
      expect(answer).to.include({ status: 200, body: `body ${i}` });
    }
    expect(await gateway.metric(retried('connect_timeout'))).to.equal(2);
    expect(
      await gateway.metric(
        `mgateway_upstream_requests_total{upstream="default/pool",endpoint="http://127.0.0.1:${hole}",code="0"}`,
      ),
    ).to.equal(2);
  });

  it('moves on when all connections of a backend are in use and enough wait for one', async () => {
    const hung = await startRawServer(cleanup, () => undefined);
    const a = await startUpstream(cleanup, 'a');
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[{ url: "${hung.url}" }, { url: "${a.url}" }]`,
          'maxConnections: 1\ntimeouts: { connect: 60s }',
        )}`,
      },
    });
    const retried = 'mgateway_upstream_retries_total{upstream="default/pool",reason="pool_full"}';
    const inFlight = 'mgateway_requests_in_flight{route="default/all"}';
    const send = async (): Promise<RawConnection> => {
      const client = await openRaw(cleanup, gateway.port);
      client.send('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
      return client;
    };
    // Every second one goes to the backend that hangs: one is sent, four wait.
    for (let stuck = 1; stuck <= 5; stuck++) {
      await send();
      await eventually(async () => (await gateway.metric(inFlight)) === stuck);
      await (await send()).until(/^HTTP\/1\.1 200 /);
    }
    await (await send()).until(/^HTTP\/1\.1 200 /);
    expect(await gateway.metric(retried)).to.equal(1);
  });

  it('answers 504 when no backend can be connected to in time', async function () {
    const hole = await startBlackHole(cleanup);
    if (hole === undefined) this.skip();
    const url = `http://127.0.0.1:${hole}`;
    const gateway = await startGateway(cleanup, {
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(`[{ url: "${url}" }]`, 'timeouts: { connect: 200ms }')}`,
      },
    });
    const answer = await request(`${gateway.url}/`);
    expect(answer.status).to.equal(504);
    expect(answer.json()).to.include({ code: 'ERR_UPSTREAM_CONNECT_TIMEOUT' });
  });

  it('moves on with a WebSocket whose backend refuses the connection or does not answer it', async function () {
    const hole = await startBlackHole(cleanup);
    if (hole === undefined) this.skip();
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    cleanup.add(() => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    });
    const alive = (sockets.address() as AddressInfo).port;
    const ports = [await freePort(), hole, alive];
    const gateway = await startGateway(cleanup, {
      args: oneWorker,
      files: {
        'all.yaml': `${routeTo('[{ name: pool }]')}---\n${pool(
          `[${ports.map((port) => `{ url: "http://127.0.0.1:${port}" }`).join(', ')}]`,
          'timeouts: { connect: 200ms }',
        )}`,
      },
    });
    for (let i = 0; i < 6; i++) {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`);
      cleanup.add(() => socket.terminate());
      await once(socket, 'open');
    }
    const failed = (port: number): Promise<number> =>
      gateway.metric(
        `mgateway_upstream_requests_total{upstream="default/pool",endpoint="http://127.0.0.1:${port}",code="0"}`,
      );
    expect(await failed(ports[0] as number)).to.be.above(0);
    expect(await failed(hole)).to.be.above(0);
    // What failed is over: it does not count as in flight, which would keep a balancer away.
    expect(await gateway.metric('mgateway_requests_in_flight{route="default/all"}')).to.equal(6);
  });
});
