import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readFileSync } from 'node:fs';

export interface AdminAnswer {
  readonly status: number;
  readonly body: string;
  /** The object in the body. @throws AdminClientError where there is none: another program listens there. */
  json(): object;
}

/** Asks a running gateway. Rejects with a message for people if it cannot be reached. */
export interface AdminClient {
  /** As it is printed. */
  readonly url: string;
  get(path: string): Promise<AdminAnswer>;
  post(path: string, body: object): Promise<AdminAnswer>;
}

export interface AdminClientOptions {
  /** `http://HOST:PORT`, `HOST:PORT` or `:PORT`: also what `serve --admin` was given. */
  readonly admin: string;
  /** Holds the bearer token. */
  readonly tokenFile?: string;
  readonly timeoutMs: number;
}

/** The address, or a file that cannot be used. */
export class AdminClientError extends Error {
  override readonly name = 'AdminClientError';
}

const maxAnswerBytes = 256 * 1024 * 1024;

/** @throws AdminClientError */
export function createAdminClient({ admin, tokenFile, timeoutMs }: AdminClientOptions): AdminClient {
  const base = readAddress(admin);
  const token = tokenFile === undefined ? undefined : readToken(tokenFile);
  const send = (method: string, path: string, body?: string): Promise<AdminAnswer> =>
    new Promise((resolve, reject) => {
      const fail = (reason: string): void => reject(new AdminClientError(`${base.origin}: ${reason}`));
      const open = base.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = open(new URL(path, base), {
        method,
        agent: false,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        signal: AbortSignal.timeout(timeoutMs),
      });
      request.on('response', (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxAnswerBytes) response.destroy(new Error('the answer is too large'));
        });
        response.on('error', (error) => fail(reasonOf(error, timeoutMs)));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, json: () => objectOf(text, base.origin) }),
        );
      });
      request.on('error', (error) => fail(reasonOf(error, timeoutMs)));
      request.end(body);
    });
  return {
    url: base.origin,
    get: (path) => send('GET', path),
    post: (path, body) => send('POST', path, JSON.stringify(body)),
  };
}

/** What the problem of an answer says, with its code. */
export function problemText({ status, body }: Pick<AdminAnswer, 'status' | 'body'>): string {
  try {
    const { code, detail } = JSON.parse(body) as { readonly code?: unknown; readonly detail?: unknown };
    if (typeof code === 'string' && typeof detail === 'string') return `${detail} (${status} ${code})`;
  } catch {
    // Not ours: perhaps another program listens there.
  }
  return `answered ${status}`;
}

function objectOf(body: string, url: string): object {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw new AdminClientError(`${url}: does not answer as a gateway does; does another program listen there?`);
}

/** Every address stands for this machine when it is asked from here. */
function readAddress(text: string): URL {
  const isUrl = /^https?:\/\//i.test(text);
  const full = isUrl ? text : `http://${text.startsWith(':') ? `127.0.0.1${text}` : text}`;
  // A number alone would be taken for an IPv4 address.
  if (!URL.canParse(full) || (!isUrl && !/:\d+$/.test(text)))
    throw new AdminClientError(`--admin ${text}: not an address; write HOST:PORT, such as 127.0.0.1:9901`);
  const url = new URL(full);
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return url;
}

function readToken(path: string): string {
  let token;
  try {
    token = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new AdminClientError(
      `--token-file ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new AdminClientError(`--token-file ${path}: holds no token`);
  return token;
}

function reasonOf(error: NodeJS.ErrnoException, timeoutMs: number): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no answer within ${timeoutMs} ms`;
  if (error.code === 'ECONNREFUSED') return 'nothing listens there; is the gateway running?';
  return error.message;
}
