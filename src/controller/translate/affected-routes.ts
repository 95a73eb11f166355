import type { Guards } from '../assert/guards.ts';
import type { Document } from '../store/document.ts';
import type { Stored } from '../store/store.ts';
import type { Accepted, Draft } from './draft.ts';
import type { MiddlewarePool } from './middleware-pool.ts';

export interface AffectedRoutes {
  /** By key: what is to be translated. What became of all others cannot have changed. */
  readonly affected: ReadonlyMap<string, Accepted>;
  /** Keys of routes that there are no more. */
  readonly gone: readonly string[];
}

/** Looking for more names than this in the texts of all routes takes longer than translating them. */
const maxNames = 16;

/**
 * A plain route is affected if its own text changed, if something that it names is not what it was, or if a Guard now
 * forbids it; any other one may always be.
 */
export function affectedRoutes(draft: Draft, pool: MiddlewarePool, guards: Guards): AffectedRoutes {
  const { ground, input } = draft;
  const affected = new Map<string, Accepted>();
  const { changed, removed } = draft.changes;
  const gone = removed.filter(({ kind }) => kind === 'Route').map(({ key }) => key);
  const affect = (key: string): void => {
    const stored = input.store.resources.get(key);
    if (stored?.kind === 'Route' && stored.accepted !== undefined) affected.set(key, stored as Accepted);
  };
  for (const { key, kind, accepted } of changed) {
    if (kind !== 'Route') continue;
    if (accepted === undefined) gone.push(key);
    else if (!ground.isPlain(key) || !isSameText(ground.resources.get(key), accepted)) affect(key);
  }
  for (const key of ground.troubled.keys()) affect(key);
  const names = changedNames(draft, pool);
  for (const name of names) affect(name);
  if (names.length > 0) for (const key of naming(draft, names)) affect(key);
  if (guards.stamp !== ground.guards) {
    const { sets } = ground;
    for (const key of ground.plain()) {
      const set = affected.has(key) ? undefined : sets.get(key);
      if (set === undefined) continue;
      if (guards.violationOf(key, set) !== undefined) affect(key);
      draft.memo.guarded.delete(key);
    }
    ground.guards = guards.stamp;
  }
  return { affected, gone };
}

function isSameText(before: Stored | undefined, now: Document): boolean {
  return before?.accepted?.hash === now.hash;
}

/** Keys that mean something else to a route than the last time; of those that are new only what workers refused. */
function changedNames(draft: Draft, pool: MiddlewarePool): readonly string[] {
  const { ground, input } = draft;
  const targets = new Map<string, string>(pool.meanings());
  for (const key of draft.keys()) if (isTarget(key)) targets.set(key, '');
  const changed = [...ground.targets].filter(([key, meaning]) => targets.get(key) !== meaning);
  const failed = [...input.failed].filter(([key, { hash }]) => ground.failed.get(key)?.hash !== hash);
  const repaired = [...ground.failed.keys()].filter((key) => !input.failed.has(key));
  ground.targets = targets;
  ground.failed = new Map(input.failed);
  return [...changed.map(([key]) => key), ...failed.map(([key]) => key), ...repaired];
}

function isTarget(key: string): boolean {
  return key.startsWith('Upstream/') || key.startsWith('Listener/');
}

/** Plain routes in whose text one of the names stands: all that they refer to does. */
function* naming(draft: Draft, names: readonly string[]): Generator<string> {
  const texts = names.map((name) =>
    JSON.stringify(name.startsWith('Listener/') ? name.slice('Listener/'.length) : name).slice(0, -1),
  );
  for (const key of draft.ground.plain()) {
    const json = draft.ground.entries.get(key)?.json ?? '';
    if (texts.length > maxNames || texts.some((text) => json.includes(text))) yield key;
  }
}
