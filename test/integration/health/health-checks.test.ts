import { expect } from 'chai';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { createHealthService } from '../../../src/health/health-service.ts';
import type { ServedUpstream } from '../../../src/health/health-service.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { startUpstream } from '../../support/upstream.ts';

const silent = { error() {}, warn() {}, info() {}, debug() {} };

describe('health checks', () => {
  const cleanup = cleanupAfterEach();

  function check(
    endpoints: readonly string[],
    more: { readonly host?: string } = {},
  ): { readonly healthy: () => number[] } {
    const buffer = new SharedArrayBuffer(endpoints.length * 4);
    const upstream: ServedUpstream = {
      key: 'Upstream/default/u',
      snapshot: {
        name: 'default/u',
        endpoints: endpoints.map((url) => {
          const { hostname, port, protocol } = new URL(url);
          return { url, tls: protocol === 'https:', host: hostname, port: Number(port), weight: 1 };
        }),
        strategy: 'RoundRobin',
        healthCheck: {
          path: '/healthz?deep=1',
          intervalMs: 30,
          timeoutMs: 200,
          healthy: 2,
          unhealthy: 2,
          ...more,
        },
        connectTimeoutMs: 100,
        keepAliveTimeoutMs: 100,
        maxConnections: 1,
      },
      cells: endpoints.map((_, offset) => ({ buffer, offset })),
    };
    const service = createHealthService({
      log: silent,
      clock: {
        after(ms, run) {
          const timer = setTimeout(run, ms);
          return () => clearTimeout(timer);
        },
      },
      onVerdict: () => {},
    });
    service.update([upstream]);
    cleanup.add(() => service.close());
    return { healthy: () => [...new Int32Array(buffer)] };
  }

  it('take out endpoints that answer badly, not at all or too late, and bring them back', async () => {
    let status = 204;
    const changing = await startUpstream(
      cleanup,
      (_request, response) => void response.writeHead(status).end(),
    );
    const redirecting = await startUpstream(cleanup, (_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    });
    const mute = createTcpServer((socket) => void socket.on('error', () => {}));
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    cleanup.add(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    const { healthy } = check([
      changing.url,
      redirecting.url,
      `http://127.0.0.1:${port}`,
      `http://127.0.0.1:${await freePort()}`,
      // Speaks plain HTTP where TLS is expected.
      changing.url.replace('http:', 'https:'),
    ]);
    expect(healthy(), 'traffic does not wait for the first check').to.deep.equal([1, 1, 1, 1, 1]);
    await eventually(() => expect(healthy()).to.deep.equal([1, 1, 0, 0, 0]));
    status = 500;
    await eventually(() => expect(healthy()).to.deep.equal([0, 1, 0, 0, 0]));
    status = 200;
    await eventually(() => expect(healthy()).to.deep.equal([1, 1, 0, 0, 0]));
  });

  it('ask with GET, the path as written and the Host of the endpoint or the one given', async () => {
    const plain = await startUpstream(cleanup);
    check([plain.url]);
    await eventually(() => plain.requests.length > 1);
    const named = await startUpstream(cleanup);
    check([named.url], { host: 'api.example.com' });
    await eventually(() => named.requests.length > 0);
    const hostOf = (raw: readonly string[]): string | undefined =>
      raw[raw.findIndex((name) => name.toLowerCase() === 'host') + 1];
    expect(plain.requests[0]).to.include({ method: 'GET', url: '/healthz?deep=1' });
    expect(hostOf(plain.requests[0]?.rawHeaders ?? [])).to.equal(`127.0.0.1:${plain.port}`);
    expect(hostOf(named.requests[0]?.rawHeaders ?? [])).to.equal('api.example.com');
  });
});
