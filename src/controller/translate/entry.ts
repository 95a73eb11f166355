import { createHash } from 'node:crypto';
import type { Entry } from '../../snapshot/model.ts';

/** JSON with keys in alphabetical order at every level, so that equal values give equal text. */
function stableJson(value: object): string {
  return JSON.stringify(inOrder(value));
}

/** A copy: a replacer would be called back from native code for every value, which takes twice as long. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(fields).sort();
  // Not by assignment: that would take a field called `__proto__` for something else.
  return Object.fromEntries(names.map((name) => [name, inOrder(fields[name])]));
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
