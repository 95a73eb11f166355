import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Cleanup } from './cleanup.ts';

/** One end of a TCP connection, byte for byte. */
export class RawConnection {
  readonly socket: Socket;
  /** Resolves with the time (`performance.now()`) at which the other side was seen to have ended or broken it. */
  readonly gone: Promise<number>;
  private received = '';
  private over = false;
  private readonly wakers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.wake();
    });
    socket.on('error', () => undefined);
    this.gone = new Promise((resolve) => {
      const end = (): void => {
        this.over = true;
        resolve(performance.now());
        this.wake();
      };
      socket.once('end', end);
      socket.once('close', end);
    });
  }

  /** What came so far and was not taken by `until`, latin1. */
  get text(): string {
    return this.received;
  }

  get isOver(): boolean {
    return this.over;
  }

  send(data: string | Buffer): boolean {
    return this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Takes what came up to and including the first match of `pattern`, and waits for it if need be. */
  async until(pattern: RegExp, withinMs = 10_000): Promise<string> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const match = pattern.exec(this.received);
      if (match !== null) {
        const taken = this.received.slice(0, match.index + match[0].length);
        this.received = this.received.slice(taken.length);
        return taken;
      }
      const left = deadline - performance.now();
      if (this.over || left <= 0) {
        const why = this.over ? 'the connection ended' : `not within ${withinMs} ms`;
        throw new Error(`${why}: no ${String(pattern)} in ${JSON.stringify(this.received.slice(0, 2000))}`);
      }
      await this.change(left);
    }
  }

  /** A head with its empty line. */
  head(): Promise<string> {
    return this.until(/\r\n\r\n/);
  }

  private change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wakers.add(done);
    });
  }

  private wake(): void {
    for (const waker of [...this.wakers]) waker();
  }
}

/** A client connection to 127.0.0.1. */
export async function openRaw(cleanup: Cleanup, port: number): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  cleanup.add(() => socket.destroy());
  const connection = new RawConnection(socket);
  await once(socket, 'connect');
  return connection;
}

export interface RawServer {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** In the order accepted, closed ones too. */
  readonly connections: readonly RawConnection[];
}

/** A TCP server on a free port; `serve` gets each connection. What it throws after its connection ended is nobody's. */
export async function startRawServer(
  cleanup: Cleanup,
  serve: (connection: RawConnection) => unknown,
): Promise<RawServer> {
  const connections: RawConnection[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = new RawConnection(socket);
    connections.push(connection);
    void (async () => serve(connection))().catch((error: unknown) => {
      if (!connection.isOver) throw error;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(async () => {
    for (const { socket } of connections) socket.destroy();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, server, connections };
}
