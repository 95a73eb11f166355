import { Buffer } from 'node:buffer';
import type { Writable } from 'node:stream';

export interface LineSinkOptions {
  /** Usually process.stdout or process.stderr; never ended by the sink. */
  readonly stream: Writable;
  /** What may wait for a slow reader; beyond it lines are dropped. */
  readonly maxBufferedBytes: number;
  /** Lines that were dropped. */
  readonly onDropped: (lines: number) => void;
}

/** Whole lines into a stream whose reader may be slow or gone: bounded memory, counted losses, never an exception. */
export interface LineSink {
  /** `text`: `lines` lines, each ended by a newline. False: dropped. */
  write(text: string, lines: number): boolean;
  /** Resolves when everything accepted so far has left the process, or can never do so. */
  flush(): Promise<void>;
  /** Flushes and lets go of the stream. */
  close(): Promise<void>;
}

export function openLineSink({ stream, maxBufferedBytes, onDropped }: LineSinkOptions): LineSink {
  let broken = false;
  // The reader of a pipe may end before we do (EPIPE); unheard, the error would end the gateway.
  const onError = (): void => {
    broken = true;
  };
  stream.on('error', onError);
  const usable = (): boolean => !broken && !stream.destroyed && !stream.writableEnded;

  const flush = async (): Promise<void> => {
    if (!usable()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off('close', done);
        resolve();
      };
      stream.once('close', done);
      // Writes finish in order: when this empty one has, all before it have.
      stream.write('', done);
    });
  };

  return {
    write(text, lines) {
      // What is buffered counts before the write: one batch may always pass, however large.
      if (!usable() || stream.writableLength > maxBufferedBytes) {
        onDropped(lines);
        return false;
      }
      stream.write(Buffer.from(text));
      return true;
    },
    flush,
    async close() {
      await flush();
      if (!broken) stream.off('error', onError);
    },
  };
}
