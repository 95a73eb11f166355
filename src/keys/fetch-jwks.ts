import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SecureContext } from 'node:tls';
import { maxSourceBytes } from './read-source.ts';

export interface FetchedJwks {
  /** Absent: not changed since the entity tag. */
  readonly text?: string;
  readonly etag?: string;
  /** `max-age` of Cache-Control, if it says one. */
  readonly maxAgeSeconds?: number;
}

export interface FetchRequest {
  readonly url: string;
  /** Entity tag of what is there already. */
  readonly etag?: string;
  readonly signal: AbortSignal;
  /** Whom `https:` is verified by, asked for where it is needed; default: the CAs of Node. */
  readonly trust?: (() => SecureContext) | undefined;
}

const maxRedirects = 3;

/** Gets a JWK set. Rejects for anything but 200 and 304, for more than 1 MiB, and for a redirect from https to http. */
export async function fetchJwks({ url, etag, signal, trust }: FetchRequest): Promise<FetchedJwks> {
  let target = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const response = await get(target, { etag, signal, trust });
    const { statusCode = 0, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && statusCode !== 304 && headers.location !== undefined) {
      response.destroy();
      if (redirects === maxRedirects) throw new Error(`more than ${maxRedirects} redirects`);
      target = redirected(target, headers.location);
      continue;
    }
    if (statusCode !== 200 && !(statusCode === 304 && etag !== undefined)) {
      response.destroy();
      throw new Error(`status ${statusCode}`);
    }
    const text = await bodyOf(response);
    return {
      ...(statusCode === 200 && { text }),
      ...(headers.etag !== undefined && { etag: headers.etag }),
      ...maxAgeOf(headers['cache-control']),
    };
  }
}

function redirected(from: URL, location: string): URL {
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && to.protocol !== from.protocol)
    throw new Error(`redirect to ${to.protocol}`);
  return to;
}

function get(
  url: URL,
  { etag, signal, trust }: Pick<FetchRequest, 'signal' | 'trust'> & { readonly etag: string | undefined },
): Promise<IncomingMessage> {
  const isSecure = url.protocol === 'https:';
  const request = isSecure ? requestHttps : requestHttp;
  const secureContext = isSecure ? trust?.() : undefined;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      signal,
      agent: false,
      ...(secureContext !== undefined && { secureContext }),
      headers: {
        accept: 'application/jwk-set+json, application/json',
        'user-agent': 'mgateway',
        ...(etag !== undefined && { 'if-none-match': etag }),
      },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxSourceBytes) {
      response.destroy();
      throw new Error('larger than 1 MiB');
    }
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error('the answer ended early');
  return Buffer.concat(chunks).toString('utf8');
}

function maxAgeOf(cacheControl: string | undefined): { readonly maxAgeSeconds?: number } {
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(cacheControl ?? '')?.[1];
  return seconds === undefined ? {} : { maxAgeSeconds: Number(seconds) };
}
