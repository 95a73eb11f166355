import type { GatewayResource } from '../../resources/generated.ts';
import type { EdgeSnapshot, Entry, ListenerSnapshot } from '../../snapshot/model.ts';
import type { Accepted, Draft } from './draft.ts';
import { claimsOverlap, defaultListener, edgeEntry, listenerEntry } from './edge.ts';
import type { MiddlewarePool } from './middleware-pool.ts';
import { failedOutcome, faultsOutcome } from './outcomes.ts';

interface Claim {
  readonly listener: ListenerSnapshot;
  readonly owner: string;
}

/** Which Gateways have their ports, and which lost one to another. */
interface Claimed {
  readonly taken: readonly Accepted[];
  readonly refused: readonly Accepted[];
  /** A refused one goes on with its last good listeners: so does the edge. */
  readonly edgeStays: boolean;
  readonly listeners: ReadonlyMap<string, readonly Entry[]>;
}

/** Listeners and the edge. Returns the listener entries of each Gateway. */
export function translateGateways(draft: Draft, pool: MiddlewarePool): ReadonlyMap<string, readonly Entry[]> {
  const claimed = claimPorts(draft);
  translateEdge(draft, pool, claimed);
  return claimed.listeners;
}

/** Gateway by Gateway; those that are served already come first, so that a newcomer takes nothing away. */
function claimPorts(draft: Draft): Claimed {
  const { last, defaultListener: mayListen } = draft.input;
  const all = [...draft.accepted('Gateway')].sort(byKey);
  const isServed = ({ key }: Accepted): boolean => (last?.listeners.get(key)?.length ?? 0) > 0;
  const ordered = [...all.filter(isServed), ...all.filter((stored) => !isServed(stored))];
  const claims: Claim[] = [];
  const taken: Accepted[] = [];
  const refused: Accepted[] = [];
  const listeners = new Map<string, readonly Entry[]>();
  let edgeStays = false;
  for (const stored of ordered) {
    const { spec } = stored.accepted.resource as GatewayResource;
    const conflict = findConflict(spec.listeners, claims);
    if (conflict === undefined) {
      taken.push(stored);
      listeners.set(stored.key, claim(draft, stored, spec.listeners, claims));
      continue;
    }
    const good = (last?.listeners.get(stored.key) ?? []).map(
      ({ json }) => JSON.parse(json) as ListenerSnapshot,
    );
    const keeps = good.length > 0 && findConflict(good, claims) === undefined;
    if (keeps) listeners.set(stored.key, claim(draft, stored, good, claims));
    edgeStays ||= keeps;
    refused.push(stored);
    const path = `spec.listeners[${conflict.index}]`;
    draft.outcomes.set(stored.key, {
      serving: keeps ? 'lastGood' : 'none',
      reason: 'PortConflict',
      resolved: true,
      problems: [{ at: stored.accepted.locate(path), path, message: conflict.message }],
    });
  }
  const wantsDefault = claims.length === 0 && mayListen;
  if (wantsDefault && draft.failureOf(defaultListener) === undefined) draft.add(defaultListener);
  return { taken: taken.sort(byKey), refused, edgeStays, listeners };
}

function claim(
  draft: Draft,
  stored: Accepted,
  listeners: readonly ListenerSnapshot[],
  claims: Claim[],
): readonly Entry[] {
  const entries: Entry[] = [];
  for (const [index, listener] of listeners.entries()) {
    claims.push({ listener, owner: stored.key });
    const entry = listenerEntry(listener);
    const failure = draft.failureOf(entry);
    if (failure === undefined) {
      entries.push(entry);
      continue;
    }
    const good = draft.lastEntry(entry.key);
    if (good !== undefined) entries.push(good);
    const serving = good === undefined ? 'none' : 'lastGood';
    const outcome = failedOutcome(stored.accepted, failure, serving, `spec.listeners[${index}]`);
    draft.outcomes.set(stored.key, outcome);
  }
  for (const entry of entries) draft.add(entry);
  return entries;
}

function findConflict(
  wanted: readonly ListenerSnapshot[],
  claims: readonly Claim[],
): { readonly index: number; readonly message: string } | undefined {
  for (const [index, listener] of wanted.entries()) {
    const own = wanted.slice(0, index).map((each) => ({ listener: each, owner: 'the same Gateway' }));
    for (const { listener: other, owner } of [...claims, ...own]) {
      if (other.name === listener.name) {
        return { index, message: `a listener called ${listener.name} belongs to ${owner} already` };
      }
      if (claimsOverlap(other, listener)) {
        const message = `port ${listener.port} is claimed by listener ${other.name} of ${owner} already`;
        return { index, message };
      }
    }
  }
  return undefined;
}

function translateEdge(draft: Draft, pool: MiddlewarePool, { taken, refused, edgeStays }: Claimed): void {
  const good = lastEdge(draft);
  const keys: string[] = [];
  const own: Entry[] = [];
  const shared: string[] = [];
  const faults: string[] = [];
  // A Gateway that lost its port adds nothing but its middlewares: they were written down for every route.
  for (const { key, namespace, name, accepted } of [...taken, ...refused]) {
    const { spec } = accepted.resource as GatewayResource;
    const used = pool.use(namespace, `Gateway/${namespace}/${name}`, spec.middlewares, undefined);
    keys.push(...used.keys);
    own.push(...used.own);
    shared.push(...used.shared);
    for (const entry of used.own) {
      const failure = draft.failureOf(entry);
      if (failure === undefined) continue;
      faults.push(`${entry.key}: ${failure.message}`);
      const outcome = failedOutcome(accepted, failure, good === undefined ? 'unsecured' : 'lastGood');
      draft.outcomes.set(key, outcome);
    }
    for (const fault of used.faults) faults.push(`${key}: ${fault.message}`);
    if (used.faults.length === 0) continue;
    const outcome = faultsOutcome(
      accepted,
      used.faults,
      good === undefined ? 'unsecured' : 'lastGood',
      draft.similar,
    );
    draft.outcomes.set(key, outcome);
  }
  // A Gateway that was never good may ask for a middleware on every route: until it can be read, nothing is open.
  if (good === undefined) {
    for (const { key, kind, accepted } of draft.input.store.resources.values())
      if (kind === 'Gateway' && accepted === undefined) faults.push(`${key} is refused`);
  }
  const gateways = taken.map(({ accepted }) => accepted.resource as GatewayResource);
  const entry = edgeEntry({ gateways, middlewares: keys });
  const isSound = faults.length === 0 && draft.failureOf(entry) === undefined;
  if (isSound && !(edgeStays && good !== undefined)) {
    pool.place({ own, shared });
    draft.add(entry);
    return;
  }
  if (good !== undefined && keepEdge(draft, pool, good)) return;
  draft.add(edgeEntry({ gateways, middlewares: [], unsecured: faults[0] ?? 'the Gateway is refused' }));
}

/** Serves the last good edge with the middlewares it had; false: one of them is not to be had any more. */
function keepEdge(draft: Draft, pool: MiddlewarePool, good: Entry): boolean {
  const { middlewares } = JSON.parse(good.json) as EdgeSnapshot;
  pool.place({ own: [], shared: middlewares });
  for (const key of middlewares) {
    const entry = draft.entry(key) ?? draft.lastEntry(key);
    if (entry === undefined) return false;
    draft.add(entry);
  }
  draft.add(good);
  return true;
}

/** The edge as served now, unless it answers 503. */
function lastEdge(draft: Draft): Entry | undefined {
  const entry = draft.lastEntry('Edge');
  if (entry === undefined) return undefined;
  return (JSON.parse(entry.json) as EdgeSnapshot).unsecured === undefined ? entry : undefined;
}

function byKey(a: Accepted, b: Accepted): number {
  return a.key < b.key ? -1 : 1;
}
