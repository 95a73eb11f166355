/** Why a path is refused; stable words, fit for a metric label or a log field. */
export type PathRejection =
  | 'not_origin_form'
  | 'fragment'
  | 'invalid_escape'
  | 'invalid_character'
  | 'invalid_utf8'
  | 'encoded_slash'
  | 'backslash'
  | 'control_character'
  | 'double_encoding'
  | 'parameters_in_dot_segment'
  | 'above_root';

export type NormalizedPath = { readonly path: string } | { readonly rejected: PathRejection };

/**
 * Nothing to do: pchars of RFC 3986 without `%` and `;`, no empty segment and none that begins with a dot. (Segments
 * like `.well-known` take the slower way and come out unchanged.)
 */
const CLEAN = /^(?:\/[A-Za-z0-9\-_~!$&'()*+,=:@][A-Za-z0-9\-._~!$&'()*+,=:@]*)*\/?$/;

/** Whether a path is its own normal form; says no to some that are. */
export function isCleanPath(path: string): boolean {
  return CLEAN.test(path);
}

/**
 * The one spelling of a path that router, guards, middlewares and upstreams see (G7). RFC 3986 §6.2.2: escapes of
 * unreserved characters decoded, other escapes in upper case, dot segments removed; besides, runs of slashes become one and characters
 * that no URI may hold raw are escaped. What servers are known to read in different ways is refused rather than
 * guessed: encoded slashes, backslashes, control characters, escapes that are broken or not UTF-8, escapes of escapes of
 * structural characters, dot segments with `;parameters`, and `..` above the root.
 * Idempotent: the normal form of a normal form is itself.
 */
export function normalizePath(path: string): NormalizedPath {
  if (CLEAN.test(path) && path !== '') return { path };
  if (path.charCodeAt(0) !== SLASH) return { rejected: 'not_origin_form' };
  const spelled = respell(path);
  if (typeof spelled !== 'string') return spelled;
  return resolveSegments(spelled);
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
const PCHAR = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/]$/;
/** What `%25XX` must not hide: decoding twice would change the structure or smuggle a control character. */
const DOUBLE = /%25(?:25|2[EeFf3]|5[Cc]|3[BbFf]|[01][0-9A-Fa-f]|7[Ff]|[uU][0-9A-Fa-f])/;

type Rejected = { readonly rejected: PathRejection };

/** Escapes in normal form; everything dangerous refused. */
function respell(path: string): string | Rejected {
  if (path.includes('\\')) return { rejected: 'backslash' };
  let out = '';
  let i = 0;
  while (i < path.length) {
    const code = path.charCodeAt(i);
    if (code !== PERCENT) {
      if (code <= 0x20 || code === 0x7f) return { rejected: 'control_character' };
      if (code > 0x7f) return { rejected: 'invalid_character' };
      const char = path[i] as string;
      if (char === '#') return { rejected: 'fragment' };
      out += PCHAR.test(char) ? char : escapeOf(code);
      i++;
      continue;
    }
    const byte = escapedByte(path, i);
    if (byte < 0) return { rejected: 'invalid_escape' };
    if (byte === SLASH) return { rejected: 'encoded_slash' };
    if (byte === 0x5c) return { rejected: 'backslash' };
    if (byte < 0x20 || byte === 0x7f) return { rejected: 'control_character' };
    if (byte < 0x80) {
      const char = String.fromCharCode(byte);
      out += UNRESERVED.test(char) ? char : escapeOf(byte);
      i += 3;
      continue;
    }
    const length = utf8Length(path, i, byte);
    if (length === 0) return { rejected: 'invalid_utf8' };
    out += path.slice(i, i + 3 * length).toUpperCase();
    i += 3 * length;
  }
  // Of what is forwarded, not of what was sent: `%25%32%65` has become `%252e`.
  return DOUBLE.test(out) ? { rejected: 'double_encoding' } : out;
}

function escapeOf(byte: number): string {
  return '%' + byte.toString(16).toUpperCase().padStart(2, '0');
}

/** Value of the escape at `i`, or -1. */
function escapedByte(text: string, i: number): number {
  const high = hexDigit(text.charCodeAt(i + 1));
  const low = hexDigit(text.charCodeAt(i + 2));
  return text.charCodeAt(i) !== PERCENT || high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Number of escapes that make one well-formed UTF-8 sequence (Unicode table 3-7: no overlong forms, no surrogates); 0: none. */
function utf8Length(path: string, at: number, first: number): number {
  const length =
    first >= 0xc2 && first <= 0xdf
      ? 2
      : first >= 0xe0 && first <= 0xef
        ? 3
        : first >= 0xf0 && first <= 0xf4
          ? 4
          : 0;
  for (let k = 1; k < length; k++) {
    const next = escapedByte(path, at + 3 * k);
    let low = 0x80;
    let high = 0xbf;
    if (k === 1) {
      if (first === 0xe0) low = 0xa0;
      else if (first === 0xed) high = 0x9f;
      else if (first === 0xf0) low = 0x90;
      else if (first === 0xf4) high = 0x8f;
    }
    if (next < low || next > high) return 0;
    // C1 controls (U+0080 to U+009F) are control characters in an encoding that hides them.
    if (first === 0xc2 && next < 0xa0) return 0;
  }
  return length;
}

/** A dot or empty segment with parameters: `..;x`, `.;`, `;x` before another segment; servers that strip them see a dot segment. */
const DOTTED_PARAMETERS = /\/\.{0,2}(?:;|%3B)[^/]*\/|\/\.{1,2}(?:;|%3B)[^/]*$/;

function resolveSegments(path: string): NormalizedPath {
  if ((path.includes(';') || path.includes('%3B')) && DOTTED_PARAMETERS.test(path)) {
    return { rejected: 'parameters_in_dot_segment' };
  }
  if (!path.includes('//') && !path.includes('/.')) return { path };
  const kept: string[] = [];
  const segments = path.split('/');
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] as string;
    if (segment === '..') {
      if (kept.length === 0) return { rejected: 'above_root' };
      kept.pop();
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment);
      continue;
    }
    // What ends in a slash or a dot segment is a directory: it keeps its slash.
    if (i === last) kept.push('');
  }
  return { path: '/' + kept.join('/') };
}
