import { PersistentMap } from './persistent-map.ts';

/** Pairs of parts in which alone two maps can differ: what both share as a whole is not walked over. */
export function differingParts<V>(
  one: ReadonlyMap<string, V>,
  other: ReadonlyMap<string, V>,
): Iterable<readonly [ReadonlyMap<string, V>, ReadonlyMap<string, V>]> {
  if (one === other) return [];
  return one instanceof PersistentMap && other instanceof PersistentMap
    ? (one as PersistentMap<V>).apart(other as PersistentMap<V>)
    : [[one, other]];
}
