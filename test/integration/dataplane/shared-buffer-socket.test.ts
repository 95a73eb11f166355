import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import {
  adoptSocket,
  createReadBuffer,
  SharedBufferSocket,
} from '../../../src/dataplane/http1/shared-buffer-socket.ts';
import type { Deliver } from '../../../src/dataplane/http1/shared-buffer-socket.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import type { Cleanup } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';

describe('SharedBufferSocket', () => {
  const cleanup = cleanupAfterEach();

  it('hands on what many connections read into one buffer, small and large pieces, without mixing or changing them', async () => {
    const shared = createReadBuffer();
    const received: Buffer[][] = [];
    const port = await startServer(cleanup, (accepted) => {
      const socket = adoptSocket(accepted, shared) as SharedBufferSocket;
      expect(socket).to.be.instanceOf(SharedBufferSocket);
      cleanup.add(() => socket.destroy());
      const chunks: Buffer[] = [];
      received.push(chunks);
      socket.deliver = keepIn(chunks);
      socket.on('end', () => socket.end(digest(chunks)));
    });
    const sizes = [1, 300, 9_000, 200_000, 3_000_000];
    const answers = await Promise.all(
      sizes.map(async (size) => {
        const sent = randomBytes(size);
        const socket = new SharedBufferSocket(shared, {}).connect(port, '127.0.0.1');
        cleanup.add(() => socket.destroy());
        const chunks: Buffer[] = [];
        socket.deliver = keepIn(chunks);
        await once(socket, 'connect');
        socket.write(sent.subarray(0, size / 2));
        socket.end(sent.subarray(size / 2));
        await once(socket, 'end');
        return { sent: digest([sent]), echoed: Buffer.concat(chunks).toString() };
      }),
    );
    for (const { sent, echoed } of answers) expect(echoed).to.equal(sent);
    expect(received.map((chunks) => Buffer.concat(chunks).length).sort((a, b) => a - b)).to.deep.equal(sizes);
  });

  it('stops reading while paused, and is an ordinary stream once nobody is delivered to', async () => {
    const shared = createReadBuffer();
    const accepting = new Promise<Socket>((resolve) => {
      void startServer(cleanup, (accepted) => resolve(adoptSocket(accepted, shared))).then((port) => {
        const client = new SharedBufferSocket(shared, {}).connect(port, '127.0.0.1');
        cleanup.add(() => client.destroy());
        client.on('connect', () => {
          client.write('first');
          client.write(Buffer.alloc(5_000_000));
        });
      });
    });
    const socket = (await accepting) as SharedBufferSocket;
    cleanup.add(() => socket.destroy());
    let delivered = 0;
    socket.deliver = (chunk) => {
      delivered += chunk.length;
      socket.pause();
    };
    await eventually(() => delivered > 0);
    const before = delivered;
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivered).to.equal(before);
    socket.deliver = undefined;
    let streamed = 0;
    socket.on('data', (chunk: Buffer) => (streamed += chunk.length));
    socket.resume();
    await eventually(() => before + streamed === 5_000_005);
  });
});

async function startServer(cleanup: Cleanup, connected: (socket: Socket) => void): Promise<number> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, connected).listen(
    0,
    '127.0.0.1',
  );
  cleanup.add(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Copies only what is lent: the rest must not be overwritten by later reads. */
function keepIn(chunks: Buffer[]): Deliver {
  return (chunk, isLent) => void chunks.push(isLent ? Buffer.from(chunk) : chunk);
}

function digest(chunks: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}
