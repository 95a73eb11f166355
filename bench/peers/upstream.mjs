// The upstream where nginx is not installed: 128 bytes of JSON, or 1 MiB for /bench/large.
import { createServer } from 'node:http';

const { PORT, BODY = '', LARGE_BYTES } = process.env;
const small = Buffer.from(BODY);
const large = Buffer.alloc(Number(LARGE_BYTES), 'x');

const server = createServer((request, response) => {
  const body = request.url === '/bench/large' ? large : small;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(PORT), '127.0.0.1', 4096);
