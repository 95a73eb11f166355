import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Cleanup } from './cleanup.ts';

/** Listens, and never comes back to accept. */
const listener = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(workerData), 0, 0);
    process.exit();
  });
`;

/** How long a connection on this machine may take at the most; the kernel's own next try comes after a second. */
const connectMs = 300;

/**
 * A port of 127.0.0.1 whose accept queue is full: connections to it are neither accepted nor refused, as behind a
 * firewall that drops packets. Undefined where the kernel does not drop them (it is so on Linux).
 */
export async function startBlackHole(cleanup: Cleanup): Promise<number | undefined> {
  const release = new SharedArrayBuffer(4);
  const worker = new Worker(listener, { eval: true, workerData: release });
  cleanup.add(async () => {
    const ended = once(worker, 'exit');
    Atomics.store(new Int32Array(release), 0, 1);
    Atomics.notify(new Int32Array(release), 0);
    await ended;
  });
  const [port] = (await once(worker, 'message')) as [number];
  for (let i = 0; i < 16; i++) {
    const socket = connect(port, '127.0.0.1');
    cleanup.add(() => socket.destroy());
    socket.on('error', () => undefined);
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => void setTimeout(() => resolve(false), connectMs)),
    ]);
    if (!connected) return port;
  }
  return undefined;
}
