import { textHash } from '../snapshot/text-hash.ts';

/** One editing session. A node created in a session may be changed in it; afterwards nobody can change it (G2). */
export type Edit = object;

const SHARD_BITS = 8;
const SHARDS = 1 << SHARD_BITS;
/** Up to this size one map is copied on a change; beyond, only one of the shards is. */
const SINGLE_MAX = SHARDS;

interface Shard<V> {
  readonly owner: Edit;
  readonly map: Map<string, V>;
}

/**
 * A map from strings that never changes for those who hold it: `set` and `delete` give a new map that shares nearly
 * everything with the old one. Within one editing session the same map is reused, so building costs no copies.
 */
export class PersistentMap<V> implements ReadonlyMap<string, V> {
  private readonly owner: Edit;
  private single: Map<string, V> | undefined;
  private shards: (Shard<V> | undefined)[] | undefined;
  private count: number;

  private constructor(owner: Edit) {
    this.owner = owner;
    this.count = 0;
  }

  static create<V>(edit: Edit): PersistentMap<V> {
    const map = new PersistentMap<V>(edit);
    map.single = new Map();
    return map;
  }

  get size(): number {
    return this.count;
  }

  get(key: string): V | undefined {
    if (this.single !== undefined) return this.single.get(key);
    return this.shards?.[shardOf(key)]?.map.get(key);
  }

  has(key: string): boolean {
    if (this.single !== undefined) return this.single.has(key);
    return this.shards?.[shardOf(key)]?.map.has(key) ?? false;
  }

  set(edit: Edit, key: string, value: V): PersistentMap<V> {
    const map = this.editable(edit);
    if (map.single !== undefined && map.single.size >= SINGLE_MAX && !map.single.has(key)) map.split(edit);
    const target = map.single ?? map.shard(edit, shardOf(key));
    const before = target.size;
    target.set(key, value);
    map.count += target.size - before;
    return map;
  }

  delete(edit: Edit, key: string): PersistentMap<V> {
    if (!this.has(key)) return this;
    const map = this.editable(edit);
    (map.single ?? map.shard(edit, shardOf(key))).delete(key);
    map.count -= 1;
    return map;
  }

  *keys(): Generator<string, undefined, unknown> {
    for (const part of this.parts()) yield* part.keys();
    return undefined;
  }

  *values(): Generator<V, undefined, unknown> {
    for (const part of this.parts()) yield* part.values();
    return undefined;
  }

  /** In no order. */
  *entries(): Generator<[string, V], undefined, unknown> {
    for (const part of this.parts()) yield* part;
    return undefined;
  }

  [Symbol.iterator](): Generator<[string, V], undefined, unknown> {
    return this.entries();
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) callback(value, key, this);
  }

  private parts(): readonly Map<string, V>[] {
    if (this.single !== undefined) return [this.single];
    return (this.shards ?? []).flatMap((shard) => shard?.map ?? []);
  }

  private editable(edit: Edit): PersistentMap<V> {
    if (this.owner === edit) return this;
    const copy = new PersistentMap<V>(edit);
    copy.single = this.single === undefined ? undefined : new Map(this.single);
    copy.shards = this.shards?.slice();
    copy.count = this.count;
    return copy;
  }

  private shard(edit: Edit, index: number): Map<string, V> {
    const shards = (this.shards ??= []);
    const shard = shards[index];
    if (shard?.owner === edit) return shard.map;
    const map = new Map(shard?.map);
    shards[index] = { owner: edit, map };
    return map;
  }

  private split(edit: Edit): void {
    const all = this.single ?? new Map<string, V>();
    this.single = undefined;
    this.shards = new Array<Shard<V> | undefined>(SHARDS).fill(undefined);
    for (const [key, value] of all) this.shard(edit, shardOf(key)).set(key, value);
  }
}

function shardOf(key: string): number {
  const hash = textHash(key);
  return (hash ^ (hash >>> SHARD_BITS) ^ (hash >>> 16)) & (SHARDS - 1);
}
