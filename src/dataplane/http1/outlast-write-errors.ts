import type { Socket } from 'node:net';

type WriteDone = (error?: Error | null) => void;

/**
 * Keeps a failed write from closing `socket`. An upstream that answers early (413, 401) and hangs up makes our next body
 * write fail, and Node would then destroy the socket together with the answer that waits in it unread. Here the write
 * just stays unfinished: nothing more is sent, reading goes on to the answer and to the end or reset behind it, and that
 * closes the socket. Uses `_write` and `_writev`, the documented hooks of a Writable.
 */
export function outlastWriteErrors(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  // A Writable has one write under way at a time.
  let under: WriteDone | undefined;
  const done: WriteDone = (error) => {
    const settle = under;
    if (error != null && !socket.readableEnded) return;
    under = undefined;
    settle?.(error);
  };
  socket._write = (chunk, encoding, callback) => {
    under = callback;
    write(chunk, encoding, done);
  };
  if (writev === undefined) return;
  socket._writev = (chunks, callback) => {
    under = callback;
    writev(chunks, done);
  };
}
