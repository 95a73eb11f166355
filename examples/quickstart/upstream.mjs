// A small server to stand behind the gateway: it says its name and what it was sent.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** @param {string} name @param {number} port */
export async function startDemoUpstream(name, port) {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/healthz') {
      response.end('ok\n');
      return;
    }
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify({ upstream: name, method, url, headers }, null, 2)}\n`);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
