import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Lender } from './shared-buffer-socket.ts';

export interface SocketTarget {
  /** `isLent`: as in Deliver. */
  onData(chunk: Buffer, isLent: boolean): void;
  onEnd(): void;
  onDrain(): void;
  /** Errors close the socket; `code` is the last one's. */
  onClose(code: string | undefined): void;
}

/** Tells `target` what happens on `socket`. The returned function stops that, except for `onClose`. */
export function listenToSocket(socket: Socket, target: SocketTarget): () => void {
  let code: string | undefined;
  const data = (chunk: Buffer): void => target.onData(chunk, false);
  const end = (): void => target.onEnd();
  const drain = (): void => target.onDrain();
  const lender = isLender(socket) ? socket : undefined;
  if (lender === undefined) socket.on('data', data);
  else lender.deliver = (chunk, isLent) => target.onData(chunk, isLent);
  socket.on('end', end);
  socket.on('drain', drain);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.on('close', () => target.onClose(code));
  return () => {
    if (lender === undefined) socket.off('data', data);
    else lender.deliver = undefined;
    socket.off('end', end);
    socket.off('drain', drain);
  };
}

function isLender(socket: Socket): socket is Socket & Lender {
  return 'deliver' in socket;
}
