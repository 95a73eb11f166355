import type { Buffer } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { browserHeaders } from './reply.ts';

/** What the admin server needs of the metrics (telemetry/metrics.ts). */
export interface MetricsSource {
  readonly contentType: string;
  render(): Promise<readonly Buffer[]>;
}

/** Sends the metrics, compressed for who asks (off this thread), no faster than they are read. */
export async function sendMetrics(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: MetricsSource,
): Promise<void> {
  const chunks = await metrics.render();
  const compressed = acceptsGzip(request.headers['accept-encoding']);
  response.writeHead(200, {
    ...browserHeaders,
    'content-type': metrics.contentType,
    vary: 'accept-encoding',
    ...(compressed
      ? { 'content-encoding': 'gzip' }
      : { 'content-length': chunks.reduce((sum, chunk) => sum + chunk.length, 0) }),
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const source = Readable.from(chunks);
  // Samples repeat their labels: the fastest level already makes a twentieth of them.
  if (compressed) await pipeline(source, createGzip({ level: constants.Z_BEST_SPEED }), response);
  else await pipeline(source, response);
}

/** RFC 9110 §12.5.3. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const offers = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((offer) => offer.trim().split(/\s*;\s*/));
  return offers.some(
    ([coding, ...parameters]) =>
      (coding === 'gzip' || coding === 'x-gzip') && !parameters.some((text) => /^q=0(\.0*)?$/.test(text)),
  );
}
