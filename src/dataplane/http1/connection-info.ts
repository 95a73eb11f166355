import type { Socket } from 'node:net';
import type { ConnectionInfo } from './types.ts';

/** Who is at the other end, read once: each look-up is a system call. */
export function connectionInfo(socket: Socket): ConnectionInfo {
  const address = socket.remoteAddress ?? '';
  return {
    remoteAddress: address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address,
    remotePort: socket.remotePort ?? 0,
    localPort: socket.localPort ?? 0,
    tls: 'encrypted' in socket,
  };
}
