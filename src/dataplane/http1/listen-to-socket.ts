import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { SharedBufferSocket } from './shared-buffer-socket.ts';

export interface SocketTarget {
  onData(chunk: Buffer): void;
  onEnd(): void;
  onDrain(): void;
  /** Errors close the socket; `code` is the last one's. */
  onClose(code: string | undefined): void;
}

/** Tells `target` what happens on `socket`. The returned function stops that, except for `onClose`. */
export function listenToSocket(socket: Socket, target: SocketTarget): () => void {
  let code: string | undefined;
  const data = (chunk: Buffer): void => target.onData(chunk);
  const end = (): void => target.onEnd();
  const drain = (): void => target.onDrain();
  const shared = socket instanceof SharedBufferSocket ? socket : undefined;
  if (shared === undefined) socket.on('data', data);
  else shared.deliver = data;
  socket.on('end', end);
  socket.on('drain', drain);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.on('close', () => target.onClose(code));
  return () => {
    if (shared === undefined) socket.off('data', data);
    else shared.deliver = undefined;
    socket.off('end', end);
    socket.off('drain', drain);
  };
}
