import { createHash } from 'node:crypto';
import type { Entry } from '../../snapshot/model.ts';

/** JSON with keys in alphabetical order at every level, so that equal values give equal text. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}

/** 96 bits of SHA-256: short enough to keep for every entry, long enough that two never meet by chance. */
function shortHash(text: string): string {
  // Of bytes: a part of a longer text would keep all of it.
  return createHash('sha256').update(text).digest().toString('base64url', 0, 12);
}

export function makeEntry(key: string, value: object): Entry {
  const json = stableJson(value);
  return { key, hash: shortHash(json), json };
}
