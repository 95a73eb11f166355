/**
 * Keep-alive load over `net`, a program of its own: `generator.ts ORDER.json`; prints a LoadResult as JSON.
 *
 * Open loop (`rate`): request n is due at begin + n / rate whatever the answers do, and its latency counts from that moment,
 * so that a server which stalls is not asked less (no coordinated omission). It looks at the clock in every turn instead of
 * waiting for timers, whose millisecond would hide what is measured: that takes a whole core.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { GenerateOrder } from './generate.ts';
import type { LoadResult } from './order.ts';
import { percentile } from './percentile.ts';

interface Connection {
  readonly socket: Socket;
  /** When the request under way was due; undefined: idle. */
  due: number | undefined;
  /** Bytes of the body still to come. */
  left: number;
  head: string;
}

const file = process.argv[2];
if (file === undefined) throw new Error('usage: generator.ts ORDER.json');
const order = JSON.parse(readFileSync(file, 'utf8')) as GenerateOrder;
process.stdout.write(JSON.stringify(await run(order)), () => process.exit());

async function run({
  port,
  connections,
  seconds,
  targets,
  headers,
  rate,
}: GenerateOrder): Promise<LoadResult> {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const requests = targets.map(
    ({ path, host = `127.0.0.1:${port}` }) =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields.join('')}\r\n`,
  );
  const latencies: number[] = [];
  const idle: Connection[] = [];
  let sent = 0;
  let failures = 0;
  let bodyBytes = 0;
  let isOver = false;
  const send = (connection: Connection, due: number): void => {
    connection.due = due;
    connection.socket.write(requests[sent++ % requests.length] as string, 'latin1');
  };
  const done = (connection: Connection): void => {
    const now = performance.now();
    latencies.push(now - (connection.due ?? now));
    connection.due = undefined;
    connection.head = '';
    if (rate > 0 || isOver) idle.push(connection);
    else send(connection, now);
  };
  const take = (connection: Connection, chunk: Buffer): void => {
    if (connection.left > 0) {
      connection.left -= chunk.length;
      bodyBytes += chunk.length;
      if (connection.left <= 0) done(connection);
      return;
    }
    connection.head += chunk.toString('latin1');
    const end = connection.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = connection.head.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length: ${head}`);
    if (!head.startsWith('HTTP/1.1 2')) failures++;
    const received = connection.head.length - end - 4;
    bodyBytes += received;
    connection.left = Number(length) - received;
    if (connection.left <= 0) done(connection);
  };
  const open = (): Promise<Connection> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const connection: Connection = { socket, due: undefined, left: 0, head: '' };
      socket.once('connect', () => resolve(connection));
      socket.once('error', reject);
      socket.on('data', (chunk: Buffer) => take(connection, chunk));
      socket.once('close', () => {
        if (connection.due === undefined) return;
        failures++;
        // What was under way is lost, the load goes on: another connection takes its place.
        open().then(
          (next) =>
            isOver ? next.socket.destroy() : rate > 0 ? idle.push(next) : send(next, performance.now()),
          () => failures++,
        );
      });
    });
  const opened = await Promise.all(Array.from({ length: connections }, open));
  const begun = performance.now();
  const end = begun + seconds * 1000;
  if (rate > 0) {
    idle.push(...opened);
    await openLoop({ begun, end, rate, idle, send });
  } else {
    for (const connection of opened) send(connection, performance.now());
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
  isOver = true;
  const elapsedSeconds = (performance.now() - begun) / 1000;
  const all = latencies.sort((a, b) => a - b);
  for (const { socket } of opened) socket.destroy();
  return {
    requests: all.length,
    failures,
    requestsPerSecond: all.length / elapsedSeconds,
    p50Ms: percentile(all, 50),
    p99Ms: percentile(all, 99),
    bodyBytes,
  };
}

interface Schedule {
  readonly begun: number;
  readonly end: number;
  readonly rate: number;
  readonly idle: Connection[];
  readonly send: (connection: Connection, due: number) => void;
}

/** Resolves when every request that was due has been sent, and a moment has passed for the last answers. */
function openLoop({ begun, end, rate, idle, send }: Schedule): Promise<void> {
  let next = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      const now = performance.now();
      for (
        let due = begun + (next * 1000) / rate;
        due <= now && due < end;
        due = begun + (next * 1000) / rate
      ) {
        const connection = idle.pop();
        if (connection === undefined) break;
        send(connection, due);
        next++;
      }
      if (now > end + 200) resolve();
      else setImmediate(turn);
    };
    turn();
  });
}
