import type { Writable } from 'node:stream';
import { openLineSink } from './line-sink.ts';

export interface AccessLogWriterOptions {
  /** Default: process.stdout. */
  readonly stream?: Writable;
  /** Lines lost, here or in a worker. */
  readonly onDropped: (lines: number) => void;
  readonly maxBufferedBytes?: number;
}

/** Main's end of the access log: the batches of all workers, written to one stream whose reader may be slow. */
export interface AccessLogWriter {
  /** `text` and `dropped` as in the message `AccessLog`. */
  write(batch: { readonly text: string; readonly dropped: number }): void;
  /** Resolves when everything accepted has left the process. */
  close(): Promise<void>;
}

const defaultMaxBufferedBytes = 16 * 1024 * 1024;

export function createAccessLogWriter(options: AccessLogWriterOptions): AccessLogWriter {
  const sink = openLineSink({
    stream: options.stream ?? process.stdout,
    maxBufferedBytes: options.maxBufferedBytes ?? defaultMaxBufferedBytes,
    onDropped: options.onDropped,
  });
  return {
    write({ text, dropped }) {
      if (dropped > 0) options.onDropped(dropped);
      if (text !== '') sink.write(text, countLines(text));
    },
    close: () => sink.close(),
  };
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
