import { once } from 'node:events';
import { createServer } from 'node:net';

/** Hands out ports on which nothing listens, below those that the system gives to outgoing connections. */
export function createPorts(first = 12_000 + Math.floor(Math.random() * 15_000)): () => Promise<number> {
  let next = first;
  return async () => {
    for (;;) {
      const port = next++;
      if (await isFree(port)) return port;
    }
  };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
