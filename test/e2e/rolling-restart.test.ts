import { expect } from 'chai';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { startBalancer } from '../support/balancer.ts';
import type { BalancerTarget } from '../support/balancer.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { startUpstream } from '../support/upstream.ts';

const clients = 24;

describe('a rolling restart of three gateways behind a TCP balancer', () => {
  const cleanup = cleanupAfterEach();

  it('fails no request, and WebSockets are told that theirs goes away', async function () {
    this.timeout(60_000);
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      incoming.resume();
      // Some take longer than the readiness probe needs to notice.
      const slow = incoming.url === '/slow';
      const timer = setTimeout(() => response.end('the answer'), slow ? 300 : 2);
      response.on('close', () => clearTimeout(timer));
    });
    const echo = new WebSocketServer({ server: upstream.server });
    echo.on('connection', (socket) => socket.on('error', () => undefined));
    const files = { 'all.yaml': routeDocument('all', `upstreams: [{ url: "${upstream.url}" }]`) };
    const start = (port: number): Promise<RunningGateway> =>
      startGateway(cleanup, {
        files,
        port,
        args: ['--shutdown-delay', '1s', '--drain-timeout', '10s', '--workers', '1'],
      });
    const ports = [await freePort(), await freePort(), await freePort()];
    const gateways = await Promise.all(ports.map(start));
    // Their probes move with each restart: the balancer looks them up.
    const targets = ports.map((port, i): BalancerTarget => ({
      port,
      get admin() {
        return (gateways[i] as RunningGateway).admin;
      },
    }));
    const balancer = await startBalancer(cleanup, targets);
    const allReady = (): boolean => targets.every((target) => balancer.isReady(target));
    await eventually(allReady);

    // As browsers and services do: connections are kept, and a failure is not tried again.
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    cleanup.add(() => agent.destroy());
    const failures: string[] = [];
    let answered = 0;
    let stop = false;
    const client = async (i: number): Promise<void> => {
      const path = i % 4 === 0 ? '/slow' : '/fast';
      // What is not idempotent must not be lost either, and nobody may repeat it.
      const method = i % 2 === 0 ? 'GET' : 'POST';
      while (!stop) {
        try {
          const url = `http://127.0.0.1:${balancer.port}${path}`;
          const answer = await request(url, { agent, method, ...(method === 'POST' ? { body: 'x' } : {}) });
          if (answer.status === 200 && answer.body === 'the answer') answered++;
          else failures.push(`${answer.status} ${answer.body}`);
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    const load = Array.from({ length: clients }, (_, i) => client(i));
    const sockets = await Promise.all(
      ports.map(async (port) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
        cleanup.add(() => socket.terminate());
        await once(socket, 'open');
        return socket;
      }),
    );

    for (const [i, port] of ports.entries()) {
      const closed = once(sockets[i] as WebSocket, 'close') as Promise<[number]>;
      const began = answered;
      const exit = await (gateways[i] as RunningGateway).stop();
      expect(exit).to.deep.equal({ code: 0, signal: null });
      expect((await closed)[0]).to.equal(1001);
      expect(answered).to.be.greaterThan(began);
      gateways[i] = await start(port);
      await eventually(allReady);
    }
    stop = true;
    await Promise.all(load);
    expect(failures).to.deep.equal([]);
    expect(answered).to.be.greaterThan(500);
  });
});
