import type { Buffer } from 'node:buffer';
import * as net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from '../support/cleanup.ts';

/** One TCP connection whose bytes the test writes and reads itself. */
export class RawClient {
  readonly socket: net.Socket;
  received = '';
  /** The peer ended its side. */
  ended = false;
  closed = false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    socket.on('error', () => undefined);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Status codes of all answers so far. */
  get statuses(): readonly number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((found) => Number(found[1]));
  }
}

export async function connectRaw(port: number, cleanup: Cleanup): Promise<RawClient> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  cleanup.add(() => socket.destroy());
  const client = new RawClient(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** A TCP server that hands each connection to the test; returns its port. */
export async function listenRaw(cleanup: Cleanup, accept: (peer: RawClient) => void): Promise<number> {
  const peers = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    peers.add(socket);
    accept(new RawClient(socket));
  });
  cleanup.add(() => {
    server.close();
    for (const peer of peers) peer.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
