import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Cleanup } from '../../support/cleanup.ts';

export interface ConnectionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One client connection that is never opened anew behind the test's back, as an agent would: that the gateway closed it
 * is seen even while it is idle. Answers must have a `content-length`.
 */
export interface Connection {
  /** The other side has closed or reset it. */
  readonly closed: boolean;
  /** One request at a time; rejects if the connection ends before the whole answer is there. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<ConnectionAnswer>;
  close(): void;
}

export async function openConnection(cleanup: Cleanup, port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  cleanup.add(() => socket.destroy());
  await once(socket, 'connect');
  return overSocket(socket);
}

function overSocket(socket: Socket): Connection {
  let buffered: Buffer = Buffer.alloc(0);
  let closed = false;
  let asked: { resolve: (answer: ConnectionAnswer) => void; reject: (error: Error) => void } | undefined;
  const ended = (why: string): void => {
    closed = true;
    asked?.reject(new Error(`connection ${why} instead of an answer`));
    asked = undefined;
  };
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    const found = readAnswer(buffered);
    if (found === undefined || asked === undefined) return;
    buffered = buffered.subarray(found.length);
    const { resolve } = asked;
    asked = undefined;
    resolve(found.answer);
  });
  socket.on('end', () => ended('closed'));
  socket.on('error', (error) => ended(`failed (${error.message})`));
  socket.on('close', () => ended('closed'));
  return {
    get closed() {
      return closed;
    },
    get(path, headers = {}) {
      if (closed) return Promise.reject(new Error('the connection is closed'));
      return new Promise((resolve, reject) => {
        asked = { resolve, reject };
        const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.write(`GET ${path} HTTP/1.1\r\nhost: test.example\r\n${fields.join('')}\r\n`);
      });
    },
    close: () => socket.destroy(),
  };
}

function readAnswer(bytes: Buffer): { answer: ConnectionAnswer; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers[field.slice(0, colon).toLowerCase()] = field.slice(colon + 1).trim();
  }
  const length = end + 4 + Number(headers['content-length'] ?? Number.NaN);
  if (Number.isNaN(length)) throw new Error(`an answer without content-length: ${line}`);
  if (bytes.length < length) return undefined;
  const body = bytes.toString('utf8', end + 4, length);
  return { answer: { status: Number(line.split(' ')[1]), headers, body }, length };
}
