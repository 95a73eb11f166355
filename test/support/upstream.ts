import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from './cleanup.ts';

export interface SeenRequest {
  readonly method: string;
  /** As received: path and query. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

export interface RunningUpstream {
  /** Origin, e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Every request so far, heads only. */
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A real HTTP server on a free port; default handler: 200 with its `name` as text. */
export async function startUpstream(
  cleanup: Cleanup,
  handler: RequestListener | string = 'upstream',
): Promise<RunningUpstream> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener =
    typeof handler === 'string'
      ? (request, response) => {
          request.resume();
          response.setHeader('content-type', 'text/plain');
          response.end(handler);
        }
      : handler;
  const server = createServer((request, response) => {
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      rawHeaders: request.rawHeaders,
    });
    listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  cleanup.add(close);
  return { url: `http://127.0.0.1:${port}`, port, server, requests, close };
}
