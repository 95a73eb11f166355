import { Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Reply } from './reply.ts';
import { problemReply } from './reply.ts';

const maxBodyBytes = 64 * 1024;

/** A text, or why it is none. Pages of other sites cannot send this type without being asked for permission. */
export async function readJsonBody(request: IncomingMessage): Promise<string | Reply> {
  const type = request.headers['content-type'] ?? '';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (!/^application\/json\s*(?:;|$)/i.test(type))
    return problemReply(415, 'ERR_ADMIN_MEDIA_TYPE', 'the body must be application/json');
  if (size > maxBodyBytes) return problemReply(400, 'ERR_ADMIN_BAD_REQUEST', 'the body is too large');
  return Buffer.concat(chunks).toString('utf8');
}
