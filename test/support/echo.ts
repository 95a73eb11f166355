import type { RequestListener } from 'node:http';
import type { Answer } from './request.ts';

/** What an echoing upstream says it got. */
export interface Echoed {
  readonly name: string;
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  /** name, value, name, value, … as received. */
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** A handler that answers with what it was asked, as JSON. */
export function echo(name = 'echo'): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, rawHeaders, headers } = request;
      const body = Buffer.concat(chunks).toString();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ name, method, url, rawHeaders, headers, body }));
    });
  };
}

/** What the upstream behind an answer got; fails if it was not an echoing one that answered. */
export function echoed(answer: Answer): Echoed {
  if (answer.status !== 200) throw new Error(`answered ${answer.status}: ${answer.body}`);
  return answer.json() as Echoed;
}

/** Values of a field in the order received. */
export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push(rawHeaders[i + 1] as string);
  }
  return values;
}
