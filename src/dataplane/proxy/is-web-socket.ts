import type { RequestHead } from '../http1/types.ts';

/** A WebSocket handshake (RFC 6455 §4.1); other upgrades are not for tunnels and are forwarded without `Upgrade`. */
export function isWebSocket(head: RequestHead): boolean {
  return (
    head.method === 'GET' &&
    head.framing === 'none' &&
    head.upgrade !== undefined &&
    head.upgrade.split(',').some((protocol) => protocol.trim() === 'websocket')
  );
}
