/** A thread that asks one origin every millisecond over one connection, and keeps the longest answer times. */
import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface ProbeOptions {
  readonly port: number;
  readonly path: string;
  readonly everyMs: number;
}

/** Answer to any message: what was seen since the last. */
export interface ProbeReport {
  readonly requests: number;
  readonly longestMs: number;
  /** The longest answer times, descending. */
  readonly longest: readonly number[];
  /** Longest delay of this thread itself: what is below it may be the machine's. */
  readonly ownDelayMs: number;
}

/** Sent by itself whenever `x-generation` changes; `at`: performance.timeOrigin + now. */
export interface GenerationSeen {
  readonly generation: string;
  readonly at: number;
}

const { port, path, everyMs } = workerData as ProbeOptions;
const main = parentPort;
if (main === null) throw new Error('this is the entry of a worker thread');

let times: number[] = [];
let ownDelayMs = 0;
let generation = '';
let sentAt = 0;
let text = '';
const socket = connect({ port, host: '127.0.0.1', noDelay: true });
socket.setEncoding('latin1');
socket.on('data', (chunk: string) => {
  text += chunk;
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return;
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  if (text.length < end + 4 + length) return;
  const now = performance.now();
  times.push(now - sentAt);
  sentAt = 0;
  const seen = /x-generation: (\S+)/i.exec(text)?.[1];
  text = '';
  if (seen === undefined || seen === generation) return;
  generation = seen;
  main.postMessage({ generation, at: performance.timeOrigin + now } satisfies GenerationSeen);
});
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  ownDelayMs = Math.max(ownDelayMs, now - last - everyMs);
  last = now;
  if (sentAt !== 0) return;
  sentAt = now;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
}, everyMs);
main.on('message', () => {
  const longest = times.sort((a, b) => b - a).slice(0, 10);
  const report: ProbeReport = { requests: times.length, longestMs: longest[0] ?? 0, longest, ownDelayMs };
  main.postMessage(report);
  times = [];
  ownDelayMs = 0;
});
