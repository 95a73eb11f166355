import { normalizePath } from './normalize.ts';
import type { PathRejection } from './normalize.ts';

/** What is matched and forwarded. `query` is raw, without `?`; empty: none. */
export type Target =
  | { readonly path: string; readonly query: string; readonly rejected?: undefined }
  | { readonly rejected: PathRejection; readonly path?: undefined; readonly query?: undefined };

/** What no query may hold raw (RFC 3986 §3.4 is narrower; servers agree on these). */
const BAD_QUERY = /[\u0000-\u0020\u007f-\uffff#]/;

/**
 * Splits an origin-form target (RFC 9112 §3.2.1) and normalises its path. `*` (OPTIONS) stays `*`. The query is not
 * touched; a fragment, blanks, control characters and bytes above ASCII are refused in it too.
 */
export function parseTarget(target: string): Target {
  if (target === '*') return { path: target, query: '' };
  const mark = target.indexOf('?');
  const normal = normalizePath(mark < 0 ? target : target.slice(0, mark));
  if ('rejected' in normal) return normal;
  if (mark < 0) return { path: normal.path, query: '' };
  const query = target.slice(mark + 1);
  const bad = BAD_QUERY.exec(query);
  if (bad !== null) {
    if (bad[0] === '#') return { rejected: 'fragment' };
    return { rejected: bad[0] > '\u007f' ? 'invalid_character' : 'control_character' };
  }
  return { path: normal.path, query };
}
