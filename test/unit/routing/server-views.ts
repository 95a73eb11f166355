import { Buffer } from 'node:buffer';

/**
 * How servers commonly turn a request path into the one they authorise and serve: an oracle for tests. Paths are latin1
 * strings, one character for each byte. `X` readings are those of RFC 3986, nginx, Go, Apache and Express; `W` strip
 * `;parameters` or take backslashes for slashes; `M` decode twice, accept overlong UTF-8, fold case or drop blanks.
 */
const views: readonly (readonly [name: string, flag: 'X' | 'W' | 'M', read: (path: string) => string])[] = [
  ['raw', 'X', (path) => path],
  ['RFC 3986: unreserved decoded, dot segments', 'X', (path) => dots(decode(path, true))],
  ['decoded, slashes merged, dot segments', 'X', once],
  ['dot segments before decoding', 'X', (path) => decode(dots(merge(path)))],
  ['parameters stripped, decoded', 'W', (path) => dots(merge(decode(stripped(path))))],
  ['decoded, parameters stripped', 'W', (path) => dots(merge(stripped(decode(path))))],
  ['backslash as slash', 'W', (path) => dots(merge(decode(path).replaceAll('\\', '/')))],
  ['decoded repeatedly', 'M', repeatedly],
  ['overlong UTF-8, %uXXXX, NFKC', 'M', compatibility],
  ['case folded', 'M', (path) => once(path).toLowerCase()],
  [
    'blanks and control bytes dropped',
    'M',
    (path) => dots(merge(decode(path).replace(/[\u0000-\u0020\u007f]/g, ''))),
  ],
  ['cut at NUL', 'M', (path) => dots(merge(decode(path).split('\0')[0] as string))],
];

/** The flags and names of the readings under which `path` lies below `prefix`. */
export function readingsBelow(path: string, prefix: string): string[] {
  return views
    .filter(([, , read]) => read(path) === prefix || read(path).startsWith(`${prefix}/`))
    .map(([name, flag]) => `${flag}: ${name}`);
}

function once(path: string): string {
  return dots(merge(decode(path)));
}

function decode(path: string, onlyUnreserved = false): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return onlyUnreserved && !/[A-Za-z0-9\-._~]/.test(char) ? escape : char;
  });
}

function merge(path: string): string {
  return path.replace(/\/+/g, '/');
}

function stripped(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.split(';')[0])
    .join('/');
}

function dots(path: string): string {
  const out: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, i) => {
    if (segment === '..' && out.length > 1) out.pop();
    if (segment !== '.' && segment !== '..') out.push(segment);
    else if (i === segments.length - 1) out.push('');
  });
  const joined = out.join('/');
  return joined.startsWith('/') ? joined : `/${joined}`;
}

function repeatedly(path: string): string {
  let text = path;
  for (let i = 0; i < 4; i++) text = decode(text);
  return dots(merge(text));
}

function compatibility(path: string): string {
  const bytes = decode(
    path.replace(/%u([0-9a-f]{4})/gi, (_, hex: string) =>
      Buffer.from(String.fromCharCode(Number.parseInt(hex, 16))).toString('latin1'),
    ),
  )
    .replace(/\xc0([\x80-\xbf])/g, (_, next: string) => String.fromCharCode(next.charCodeAt(0) & 0x3f))
    .replace(/\xc1([\x80-\xbf])/g, (_, next: string) =>
      String.fromCharCode(0x40 | (next.charCodeAt(0) & 0x3f)),
    )
    .replace(/\xe0\x80([\x80-\xbf])/g, (_, next: string) => String.fromCharCode(next.charCodeAt(0) & 0x3f));
  const text = Buffer.from(bytes, 'latin1');
  const utf8 = text.toString('utf8');
  const isUtf8 = Buffer.from(utf8, 'utf8').equals(text);
  return dots(
    merge(isUtf8 ? Buffer.from(utf8.normalize('NFKC').replaceAll('\u3002', '.')).toString('latin1') : bytes),
  );
}
