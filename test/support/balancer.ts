import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';
import { request } from './request.ts';

export interface BalancerTarget {
  readonly port: number;
  /** Origin of its probes. */
  readonly admin: string;
}

export interface Balancer {
  readonly port: number;
  /** Ready, as far as the balancer knows. */
  isReady(target: BalancerTarget): boolean;
}

const checkMs = 50;

/**
 * A TCP balancer as a Kubernetes Service with its endpoints: it asks `/readyz` of each target, gives a new connection to
 * the next ready one, and leaves connections that are open to themselves.
 */
export async function startBalancer(cleanup: Cleanup, targets: readonly BalancerTarget[]): Promise<Balancer> {
  const ready = new Set<BalancerTarget>();
  const sockets = new Set<Socket>();
  let stopped = false;
  const check = async (target: BalancerTarget): Promise<void> => {
    const status = await request(`${target.admin}/readyz`, { timeoutMs: 1_000 }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) ready.add(target);
    else ready.delete(target);
  };
  const checking = (async () => {
    while (!stopped) {
      await Promise.all(targets.map(check));
      await new Promise((resolve) => setTimeout(resolve, checkMs));
    }
  })();
  let turn = 0;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const choices = targets.filter((target) => ready.has(target));
    const target = choices[turn++ % Math.max(1, choices.length)];
    if (target === undefined) {
      client.destroy();
      return;
    }
    const { port } = target;
    const gateway = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    for (const [one, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.resetAndDestroy());
      one.on('close', () => sockets.delete(one));
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(async () => {
    stopped = true;
    for (const socket of sockets) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await Promise.all([closed, checking]);
  });
  return { port: (server.address() as AddressInfo).port, isReady: (target) => ready.has(target) };
}
