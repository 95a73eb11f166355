import { HeaderList } from '../../routing/header-list.ts';
import { scanFields } from './scan-fields.ts';

/** Framing and routing in a trailer section is an attack or a broken sender (RFC 9110 §6.5.1): the message is refused. */
const REFUSED = new Set(['content-length', 'transfer-encoding', 'host']);

/**
 * Dropped: they end at the next hop, or they change what was decided when the head was read (who the caller is, how the
 * content is to be read). A recipient that merges trailers into the head must not be told otherwise afterwards.
 */
const DROPPED = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'keep-alive',
  'max-forwards',
  'proxy',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'set-cookie',
  'te',
  'trailer',
  'upgrade',
  'www-authenticate',
  'x-original-url',
  'x-real-ip',
  'x-request-id',
  'x-rewrite-url',
]);

/** `text` is the trailer section up to `end`, each line with its CRLF. Undefined: it must be refused. */
export function parseTrailers(text: string, end: number, maxFields: number): HeaderList | undefined {
  const scan = scanFields(text, 0, end, maxFields);
  if (typeof scan === 'string') return undefined;
  const kept: string[] = [];
  for (let i = 0; i < scan.raw.length; i += 2) {
    const name = scan.raw[i] as string;
    const lower = name.toLowerCase();
    if (REFUSED.has(lower)) return undefined;
    // Some recipients cannot tell `_` from `-`.
    const canonical = lower.replaceAll('_', '-');
    if (DROPPED.has(canonical) || canonical.startsWith('x-forwarded-')) continue;
    kept.push(name, scan.raw[i + 1] as string);
  }
  return new HeaderList(kept);
}
