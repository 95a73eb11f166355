/**
 * WebSocket load, a program of its own: `tunnels.ts ORDER.json`; each tunnel sends a small message and, when it came back,
 * the next. Prints a LoadResult as JSON, a message for a request.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { LoadOrder, LoadResult } from './order.ts';
import { percentile } from './percentile.ts';

const payloadBytes = 32;

const file = process.argv[2];
if (file === undefined) throw new Error('usage: tunnels.ts ORDER.json');
const order = JSON.parse(readFileSync(file, 'utf8')) as LoadOrder;
process.stdout.write(JSON.stringify(await run(order)), () => process.exit());

async function run({ port, connections, seconds, targets }: LoadOrder): Promise<LoadResult> {
  const path = targets[0]?.path ?? '/';
  const sockets: Socket[] = [];
  // Some at a time: it is not the opening that is measured.
  while (sockets.length < connections) {
    const batch = Math.min(50, connections - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: batch }, () => openTunnel(port, path)))));
  }
  // FIN and text, masked with zeros.
  const message = Buffer.alloc(6 + payloadBytes, 'm');
  message.set([0x81, 0x80 | payloadBytes, 0, 0, 0, 0]);
  const latencies: number[] = [];
  let failures = 0;
  let isOver = false;
  for (const socket of sockets) {
    let received = 0;
    let sent = performance.now();
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received < 2 + payloadBytes) return;
      received = 0;
      const now = performance.now();
      latencies.push(now - sent);
      if (isOver) return;
      sent = now;
      socket.write(message);
    });
    socket.once('close', () => (isOver ? undefined : failures++));
    socket.write(message);
  }
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isOver = true;
  const elapsedSeconds = (performance.now() - begun) / 1000;
  const sorted = latencies.sort((a, b) => a - b);
  return {
    requests: sorted.length,
    failures,
    requestsPerSecond: sorted.length / elapsedSeconds,
    p50Ms: percentile(sorted, 50),
    p99Ms: percentile(sorted, 99),
    bodyBytes: sorted.length * payloadBytes,
  };
}

function openTunnel(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let head = '';
    const take = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', take).off('close', gone);
      if (head.startsWith('HTTP/1.1 101')) resolve(socket);
      else reject(new Error(`no upgrade: ${head}`));
    };
    const gone = (): void => reject(new Error('closed before the upgrade'));
    socket.on('data', take).once('close', gone).on('error', reject);
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  });
}
