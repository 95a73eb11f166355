import { once } from 'node:events';
import { request as send } from 'node:http';
import type { Agent, IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface RequestOptions {
  readonly method?: string;
  /** As in node:http; an array value sends the field several times. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** Default: a connection of its own, closed after the answer. */
  readonly agent?: Agent;
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** name, value, name, value, … as received. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly trailers: Readonly<Record<string, string | undefined>>;
  json(): unknown;
}

/** One real HTTP/1.1 request; the path is sent exactly as written in `url`. */
export async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent, timeoutMs = 10_000 } = options;
  const [, origin, path] = /^(http:\/\/[^/?]+)(.*)$/.exec(url) ?? [];
  if (origin === undefined) throw new Error(`not an http URL: ${url}`);
  const { hostname, port } = new URL(origin);
  const sent = send({
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 80 : port,
    path: path === '' || path === undefined ? '/' : path,
    method,
    headers: headers as Record<string, string | string[]>,
    agent: agent ?? false,
  });
  sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer to ${method} ${url}`)));
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    rawHeaders: response.rawHeaders,
    body: text,
    trailers: response.trailers,
    json: () => JSON.parse(text) as unknown,
  };
}
