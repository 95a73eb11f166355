import { expect } from 'chai';
import { Agent } from 'node:http';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
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
});
