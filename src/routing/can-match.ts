import { prefixSegments } from './path-pattern.ts';
import type { PathPattern } from './path-pattern.ts';

/**
 * Whether a path condition can hold for a path at or below a prefix (`compilePathPattern` of a prefix condition). Never no
 * where the answer is yes: of a regular expression only the text that it begins with can say no.
 */
export function canMatchUnder(
  path: PathPattern,
  under: Extract<PathPattern, { readonly kind: 'Prefix' }>,
): boolean {
  switch (path.kind) {
    case 'Any':
      return true;
    case 'Exact':
      return path.text !== '*' && isAtOrBelow(path.text, under.text);
    case 'Prefix':
      return isAtOrBelow(path.text, under.text) || isAtOrBelow(under.text, path.text);
    case 'Template':
      return (
        path.segments.length >= under.depth &&
        prefixSegments(under).every((segment, i) => {
          const own = path.segments[i];
          return typeof own === 'string' ? own === segment : segment !== '';
        })
      );
    case 'Regex': {
      const start = path.skeleton[0] ?? '';
      return under.text.startsWith(start) || isAtOrBelow(start, under.text);
    }
  }
}

/** Whether a host can be matched by both hostnames (`*.` stands for one or more labels; '': any). */
export function hostnamesMeet(a: string, b: string): boolean {
  if (a === '' || b === '' || a === b) return true;
  if (!a.startsWith('*.')) return b.startsWith('*.') && a.endsWith(b.slice(1));
  const suffix = a.slice(1);
  return b.startsWith('*.') ? b.endsWith(suffix) || a.endsWith(b.slice(1)) : b.endsWith(suffix);
}

function isAtOrBelow(text: string, prefix: string): boolean {
  return prefix === '' || text === prefix || text.startsWith(`${prefix}/`);
}
