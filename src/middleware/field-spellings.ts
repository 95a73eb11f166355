import type { HeaderList } from '../routing/header-list.ts';

/**
 * A header name as an upstream may see it: many (CGI, WSGI) make `x_user` and `x-user` the same, so a client's copy under
 * either spelling must go.
 */
export function canonical(header: string): string {
  return header.toLowerCase().replaceAll('_', '-');
}

/** Removes the fields that an upstream may take for one of `names`, but those whose very name (lower-case) is in `kept`. */
export function compileStrip(
  names: Iterable<string>,
  kept?: ReadonlySet<string>,
): (headers: HeaderList) => void {
  const stripped = new Set(Array.from(names, canonical));
  const lengths = new Set(Array.from(stripped, (name) => name.length));
  return ({ raw }) => {
    if (stripped.size === 0) return;
    for (let i = raw.length - 2; i >= 0; i -= 2) {
      const name = raw[i] as string;
      if (!lengths.has(name.length) || !stripped.has(canonical(name))) continue;
      if (kept?.has(name.toLowerCase()) !== true) raw.splice(i, 2);
    }
  };
}
