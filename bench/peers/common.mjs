// What the Node peers have in common: where they listen, what they forward to, how they count.
import { Agent, createServer } from 'node:http';

export const port = Number(process.env.PORT);
export const target = `http://127.0.0.1:${process.env.UPSTREAM_PORT}`;
export const isFull = process.env.FULL === '1';
export const secret = 'bench-secret-bench-secret-bench-secret-32';
export const upstreamAgent = () => new Agent({ keepAlive: true, maxSockets: 512, maxFreeSockets: 512 });

/** Serves `/bench/` with the handler, 404 otherwise. */
export function serve(handler) {
  const server = createServer((request, response) => {
    if (request.url.startsWith('/bench/')) handler(request, response);
    else response.writeHead(404).end();
  });
  server.keepAliveTimeout = 65_000;
  server.listen(port, '127.0.0.1', 4096);
}

export async function createHistogram() {
  const { Histogram, Registry } = await import('prom-client');
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  return { registry, histogram };
}
