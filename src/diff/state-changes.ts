import type { MiddlewareDefinition } from '../middleware/contract.ts';
import { sharedFate } from '../middleware/shared-fate.ts';
import type { Entry, ListenerSnapshot, MiddlewareSnapshot, UpstreamSnapshot } from '../snapshot/model.ts';
import type { EntryChange } from './entry-changes.ts';

/** What happens to something that outlives generations; what is kept is not told. */
export interface StateChange {
  /** Entry that it belongs to. */
  readonly key: string;
  readonly state: 'buckets' | 'pool' | 'health' | 'balancer' | 'keySet' | 'socket' | 'streams';
  readonly fate: 'scaled' | 'dropped';
  /** In words, for people. */
  readonly why: string;
}

export type FindDefinition = (type: string) => MiddlewareDefinition | undefined;

type Entries = ReadonlyMap<string, Entry>;

/**
 * Which state a change of entries touches, by the same rules as the running gateway: identity is the key, the definition
 * decides keep, scale or drop (G6).
 */
export function stateChanges(
  changes: readonly EntryChange[],
  from: Entries,
  to: Entries,
  find: FindDefinition,
): readonly StateChange[] {
  const addresses = new Set([...to.values()].filter(isListener).map(addressOf));
  const found = changes.flatMap(({ key, kind }): readonly StateChange[] => {
    const [before, after] = [from.get(key), to.get(key)];
    if (before === undefined) return [];
    switch (kind) {
      case 'Middleware':
        return bucketChanges(before, after, find);
      case 'Upstream':
        return upstreamChanges(before, after);
      case 'Listener':
        return addresses.has(addressOf(before))
          ? []
          : [dropped(key, 'socket', 'its address is no longer listened on: open connections are drained')];
      case 'Route':
        return after === undefined
          ? [dropped(key, 'streams', 'the route goes: what is open is closed after its drain time')]
          : [];
      case 'Edge':
        return [];
    }
  });
  return [...found, ...keySetChanges(from, to)];
}

function bucketChanges(
  before: Entry,
  after: Entry | undefined,
  find: FindDefinition,
): readonly StateChange[] {
  const { key } = before;
  const old = JSON.parse(before.json) as MiddlewareSnapshot;
  const shared = find(old.type)?.shared;
  if (shared === undefined) return [];
  if (after === undefined) return [dropped(key, 'buckets', 'it goes')];
  const next = JSON.parse(after.json) as MiddlewareSnapshot;
  if (next.type !== old.type) return [dropped(key, 'buckets', `it becomes ${next.type}`)];
  switch (sharedFate(shared, old.config, next.config)) {
    case 'keep':
      return [];
    case 'scale':
      return [
        { key, state: 'buckets', fate: 'scaled', why: 'its limit changes: levels are kept in proportion' },
      ];
    case 'drop':
      return [dropped(key, 'buckets', 'what it counts by changes')];
  }
}

function upstreamChanges(before: Entry, after: Entry | undefined): readonly StateChange[] {
  const { key } = before;
  const old = JSON.parse(before.json) as UpstreamSnapshot;
  const next = after === undefined ? undefined : (JSON.parse(after.json) as UpstreamSnapshot);
  const isChecked = old.healthCheck !== undefined;
  const staying = new Set(next?.endpoints.map(({ url }) => url));
  const changes: StateChange[] = [];
  for (const url of new Set(old.endpoints.map((endpoint) => endpoint.url))) {
    if (staying.has(url)) continue;
    changes.push(dropped(key, 'pool', `endpoint ${url} goes, with its connections`));
    if (isChecked) changes.push(dropped(key, 'health', `endpoint ${url} goes, with its verdict`));
  }
  if (next === undefined) return changes;
  if (isChecked && next.healthCheck === undefined)
    changes.push(
      dropped(key, 'health', 'there is no health check any more: every endpoint counts as healthy'),
    );
  // An upstream that is defined anew in any way is a new object, and so is its balancer.
  if (old.strategy !== 'Random')
    changes.push(dropped(key, 'balancer', 'its definition changes: the balancer starts from the beginning'));
  return changes;
}

/** Sets behind a URL that nothing asks for any more. */
function keySetChanges(from: Entries, to: Entries): readonly StateChange[] {
  const stay = keySets(to);
  return [...keySets(from)].flatMap(([id, { key, url }]) =>
    stay.has(id) ? [] : [dropped(key, 'keySet', `nothing uses the key set of ${url} any more`)],
  );
}

function keySets(entries: Entries): ReadonlyMap<string, { readonly key: string; readonly url: string }> {
  const sets = new Map<string, { readonly key: string; readonly url: string }>();
  for (const { key, json } of entries.values()) {
    if (!key.startsWith('Middleware/')) continue;
    for (const { id, source } of (JSON.parse(json) as MiddlewareSnapshot).keys)
      if ('url' in source && !sets.has(id)) sets.set(id, { key, url: source.url });
  }
  return sets;
}

function isListener({ key }: Entry): boolean {
  return key.startsWith('Listener/');
}

function addressOf({ json }: Entry): string {
  const { address, port } = JSON.parse(json) as ListenerSnapshot;
  return `${address}:${port}`;
}

function dropped(key: string, state: StateChange['state'], why: string): StateChange {
  return { key, state, fate: 'dropped', why };
}
