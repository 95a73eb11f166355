import { pathText } from './path-text.ts';
import { wellFormed } from './well-formed.ts';

/** What another server may take a path for. */
export type ReadingName =
  'slash' | 'parameters' | 'delimiters' | 'blanks' | 'decoded_twice' | 'compatibility' | 'case' | 'combined';

export interface Reading {
  readonly name: ReadingName;
  /** In the form of `pathText`. */
  readonly text: string;
}

const ODD = /[%;A-Z]/;

/**
 * The other paths that servers in use would take a normalised path for: without `;parameters` (Tomcat, Jetty, Spring), without
 * what follows an escaped `?` or `#` (proxies that pass on what they have decoded), without blanks, decoded once more, in compatible characters (fullwidth forms, RFC 8264), or in lower case (Express, IIS, Windows
 * file systems). Each alone and all together; none for a plain lower-case path.
 */
export function otherReadings(path: string): readonly Reading[] {
  if (!ODD.test(path)) return [];
  const text = pathText(path);
  if (!path.includes('%') && !path.includes(';')) return [{ name: 'case', text: path.toLowerCase() }];
  const decoded = decodeURIComponent(path);
  const readings: Reading[] = [];
  const seen = new Set([text]);
  const add = (name: ReadingName, reading: string): void => {
    if (reading === decoded) return;
    const canonical = encodedText(reading);
    if (seen.has(canonical)) return;
    seen.add(canonical);
    readings.push({ name, text: canonical });
  };
  add('parameters', withoutParameters(decoded));
  add('delimiters', withoutDelimited(decoded));
  add('blanks', withoutBlanks(decoded));
  add('decoded_twice', decodedAgain(decoded));
  add('compatibility', compatible(decoded));
  add('case', decoded.toLowerCase());
  add(
    'combined',
    withoutParameters(withoutDelimited(withoutBlanks(compatible(decodedAgain(decoded))))).toLowerCase(),
  );
  return readings;
}

/** A `pathText` with a slash at its end or, where it has one, without: many servers serve both alike. '' for `/` and `*`. */
export function otherSlash(text: string): string {
  if (text.length < 2) return '';
  return text.endsWith('/') ? text.slice(0, -1) : `${text}/`;
}

/** A `pathText` in lower case. */
export function foldedText(text: string): string {
  return text.includes('%') ? encodedText(decodeURIComponent(text).toLowerCase()) : text.toLowerCase();
}

function withoutParameters(text: string): string {
  return text.replace(/;[^/]*/g, '');
}

function withoutDelimited(text: string): string {
  const end = text.search(/[?#]/);
  return end < 0 ? text : text.slice(0, end);
}

function withoutBlanks(text: string): string {
  return text.replace(/[\s\u0000-\u0020\u007f]/g, '');
}

/** Until nothing changes or the fourth time; what is no UTF-8 stays. */
function decodedAgain(text: string): string {
  let current = text;
  for (let i = 0; i < 4 && current.includes('%'); i++) {
    current = current.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
      try {
        return decodeURIComponent(escapes);
      } catch {
        return escapes;
      }
    });
  }
  return current;
}

/** NFKC, and the ideographic full stop, which it leaves alone. */
function compatible(text: string): string {
  return text.normalize('NFKC').replaceAll('\u3002', '.');
}

/** A decoded path in the form of `pathText`; dot segments are resolved as servers do, never above the root. */
function encodedText(decoded: string): string {
  const kept: string[] = [];
  const segments = decoded.split('/');
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.' && segment !== '') {
      kept.push(segment);
      return;
    }
    if (isLast) kept.push('');
  });
  // All at once: a path may have thousands of segments, and no segment holds a slash.
  const encoded = encodeURIComponent(wellFormed(kept.join('/'))).replaceAll('%2F', '/');
  return pathText(`/${encoded}`).replaceAll('%3B', ';');
}
