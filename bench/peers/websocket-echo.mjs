// Takes any upgrade and sends every small frame back unmasked (RFC 6455): what stands behind the tunnels.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const server = createServer((_request, response) => response.writeHead(426).end());
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const length = rest.length < 2 ? 0 : rest[1] & 0x7f;
      if (rest.length < 6 + length || rest.length < 2) return;
      const frame = Buffer.allocUnsafe(2 + length);
      frame[0] = rest[0];
      frame[1] = length;
      for (let i = 0; i < length; i++) frame[2 + i] = rest[6 + i] ^ rest[2 + (i & 3)];
      rest = rest.subarray(6 + length);
      socket.write(frame);
    }
  });
});
server.listen(Number(process.env.PORT), '127.0.0.1', 4096);
