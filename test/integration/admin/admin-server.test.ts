import { expect } from 'chai';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createAdminServer } from '../../../src/admin/admin-server.ts';
import type { AdminServer, AdminServerOptions } from '../../../src/admin/admin-server.ts';
import { addressText } from '../../../src/admin/listen-address.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { request } from '../../support/request.ts';

const silent = { error() {}, warn() {}, info() {}, debug() {} };

describe('createAdminServer', () => {
  const cleanup = cleanupAfterEach();
  const asked: [name: string, args: unknown][] = [];
  let ready = { ready: false, reason: 'no generation is programmed' };

  const create = (options: Partial<AdminServerOptions> = {}): AdminServer => {
    const server = createAdminServer({
      address: '127.0.0.1:0',
      metrics: createMetrics({ version: '1.2.3', processMetrics: false }),
      query: async (name, args) => {
        asked.push([name, args]);
        if (name === 'generations') throw new Error('the config thread died');
        return { name };
      },
      command: () => Promise.reject(new Error('nobody may get here')),
      ready: () => ready,
      log: silent,
      ...options,
    });
    cleanup.add(() => server.close());
    return server;
  };
  const start = async (
    options: Partial<AdminServerOptions> = {},
  ): Promise<{ admin: string; probes: string }> => {
    const server = create({ probesAddress: '127.0.0.1:0', ...options });
    await server.listen();
    const { admin, probes } = server.addresses();
    return { admin: `http://${addressText(admin)}`, probes: probes ? `http://${addressText(probes)}` : '' };
  };

  it('serves metrics and probes on both addresses', async () => {
    const { admin, probes } = await start();
    for (const base of [admin, probes]) {
      const metrics = await request(`${base}/metrics`);
      expect(metrics.status).to.equal(200);
      expect(metrics.headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
      expect(metrics.body).to.match(/^mgateway_build_info\{version="1\.2\.3",node="[\d.]+"\} 1$/m);
      expect((await request(`${base}/healthz`)).status).to.equal(200);
      ready = { ready: false, reason: 'no generation is programmed' };
      const unready = await request(`${base}/readyz`);
      expect(unready.status).to.equal(503);
      expect(unready.headers['content-type']).to.equal('application/problem+json');
      expect(unready.json()).to.include({ code: 'ERR_NOT_READY', detail: 'no generation is programmed' });
      ready = { ready: true, reason: '' };
      expect((await request(`${base}/readyz`)).status).to.equal(200);
    }
  });

  it('answers the API and the page on the admin address alone, and refuses foreign hosts there', async () => {
    const { admin, probes } = await start();
    const evil = { headers: { host: 'evil.example' } };
    for (const path of ['/', '/api/v1/status', '/api/v1/routes?kind=Route']) {
      expect((await request(`${admin}${path}`)).status, path).to.equal(200);
      expect((await request(`${probes}${path}`)).status, path).to.equal(404);
      expect((await request(`${admin}${path}`, evil)).status, path).to.equal(421);
    }
    expect((await request(`${admin}/metrics`, evil)).status).to.equal(421);
    expect((await request(`${probes}/metrics`, evil)).status).to.equal(200);
    expect((await request(`${admin}/api/v1/secrets`)).status).to.equal(404);
    expect(asked).to.deep.include(['routes', { kind: 'Route' }]);
  });

  it('answers a probe although somebody holds more connections than it takes', async () => {
    const { admin, probes } = await start();
    for (const base of [admin, probes]) {
      const { port } = new URL(base);
      const held = Array.from({ length: 150 }, () => createConnection(Number(port), '127.0.0.1'));
      for (const socket of held) {
        cleanup.add(() => socket.destroy());
        socket.on('error', () => undefined).resume();
      }
      await Promise.all(held.map((socket) => once(socket, 'connect')));
      expect((await request(`${base}/healthz`)).status).to.equal(200);
      await eventually(() => held.filter((socket) => !socket.closed).length <= 128);
    }
  });

  it('names the methods that a resource has', async () => {
    const { admin } = await start();
    for (const [path, allow] of [
      ['status', 'GET, HEAD'],
      ['explain', 'GET, HEAD, POST'],
      ['rollback', 'POST'],
      ['resume', 'POST'],
    ] as const) {
      const answer = await request(`${admin}/api/v1/${path}`, { method: 'PUT', body: 'x' });
      expect([answer.status, answer.headers.allow], path).to.deep.equal([405, allow]);
    }
  });

  it('reads only', async () => {
    const { admin, probes } = await start();
    for (const base of [admin, probes]) {
      const answer = await request(`${base}/metrics`, { method: 'POST', body: 'x' });
      expect(answer.status).to.equal(405);
      expect(answer.headers.allow).to.equal('GET, HEAD');
      expect(answer.json()).to.include({ code: 'ERR_ADMIN_METHOD_NOT_ALLOWED' });
      for (const path of ['/metrics', '/healthz']) {
        const head = await request(`${base}${path}`, { method: 'HEAD' });
        const get = await request(`${base}${path}`);
        expect(head.body).to.equal('');
        expect(head.status).to.equal(200);
        expect(Number(head.headers['content-length'])).to.equal(Buffer.byteLength(get.body));
      }
    }
  });

  it('passes a checked request on to explain, and says when a query fails', async () => {
    const { admin } = await start();
    const good = await request(
      `${admin}/api/v1/explain?url=https%3A%2F%2Fa%2Fb%3Fc&header=x-a%3A%201&header=b%3A`,
    );
    expect(good.json()).to.deep.equal({ name: 'explain' });
    expect(asked.at(-1)).to.deep.equal([
      'explain',
      { method: 'GET', url: 'https://a/b?c', headers: ['x-a: 1', 'b:'] },
    ]);
    for (const bad of [
      '',
      '?url=/b',
      '?url=ftp%3A%2F%2Fa',
      '?url=http%3A%2F%2Fa&method=A%20B',
      '?url=http%3A%2F%2Fa&header=x',
    ]) {
      expect((await request(`${admin}/api/v1/explain${bad}`)).status, bad).to.equal(400);
    }
    const failed = await request(`${admin}/api/v1/generations`);
    expect(failed.status).to.equal(503);
    expect(failed.json()).to.include({ code: 'ERR_ADMIN_QUERY_FAILED', detail: 'the config thread died' });
  });

  it('compresses metrics for who asks and renders once for all who ask at a time', async () => {
    let renderings = 0;
    const metrics = createMetrics({ version: '1.2.3' });
    metrics.beforeScrape(() => void (renderings += 1));
    const { admin } = await start({ metrics });
    const plain = await request(`${admin}/metrics`);
    expect(plain.body)
      .to.match(/^process_cpu_seconds_total /m)
      .and.match(/^nodejs_eventloop_lag_seconds /m);
    expect(plain.headers['content-encoding']).to.equal(undefined);
    const refused = await request(`${admin}/metrics`, { headers: { 'accept-encoding': 'gzip;q=0, br' } });
    expect(refused.headers['content-encoding']).to.equal(undefined);
    const response = await fetch(`${admin}/metrics`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers.get('content-encoding')).to.equal('gzip');
    expect(await response.text()).to.include('mgateway_build_info');

    renderings = 0;
    const [first, second] = [metrics.render(), metrics.render()];
    expect(await first).to.equal(await second);
    expect(renderings).to.equal(1);
    await metrics.render();
    expect(renderings).to.equal(2);
  });

  it('refuses a request target that is no path', async () => {
    const { probes } = await start();
    const { port } = new URL(probes);
    const socket = createConnection({ host: '127.0.0.1', port: Number(port) });
    cleanup.add(() => socket.destroy());
    socket.end('GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString()).to.match(/^HTTP\/1\.1 400 /);
  });

  it('names the flag, the address and the reason when a port is in use, and holds on to nothing', async () => {
    const { admin } = await start();
    const taken = new URL(admin).host;
    const refused = async (options: Partial<AdminServerOptions>): Promise<string> => {
      const error: unknown = await create(options)
        .listen()
        .catch((reason: unknown) => reason);
      return error instanceof Error ? error.message : 'no error';
    };
    expect(await refused({ address: taken })).to.match(new RegExp(`^--admin ${taken}: the port is in use`));
    const second = create({ probesAddress: taken });
    const error: unknown = await second.listen().catch((reason: unknown) => reason);
    expect(String(error)).to.include(`--probes ${taken}: the port is in use`);
    expect(() => second.addresses()).to.throw();
  });
});
