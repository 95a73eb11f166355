import type { RouteResource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import type { RouteSnapshot, UpstreamShare } from '../../snapshot/model.ts';
import { compileGuard } from '../assert/guard.ts';
import type { Violation } from '../assert/guard.ts';
import { Guards } from '../assert/guards.ts';
import { affectedRoutes } from './affected-routes.ts';
import type { Accepted, BuiltRoute, Draft } from './draft.ts';
import { makeEntry } from './entry.ts';
import type { MiddlewarePool, UsedMiddlewares } from './middleware-pool.ts';
import type { Fault } from './outcomes.ts';
import { failedOutcome, faultsOutcome } from './outcomes.ts';
import { routeSnapshot } from './route.ts';
import type { FailedEntry, RouteSet } from './translation.ts';
import { translateInlineUpstream } from './upstream.ts';

/** The Routes, when listeners, middlewares and upstreams are settled. */
export function translateRoutes(draft: Draft, pool: MiddlewarePool): void {
  const { ground, memo } = draft;
  const guards = openGuards(draft, pool);
  const { affected, gone } = affectedRoutes(draft, pool, guards);
  for (const key of new Set([...gone, ...affected.keys()])) ground.take(key);
  for (const key of gone) {
    ground.forget(key);
    memo.routes.delete(key);
    memo.guarded.delete(key);
  }
  const old: RouteSet[] = [];
  for (const [key, stored] of affected) {
    const { set, isOld, isPlain } = translateRoute(draft, pool, guards, stored);
    if (isPlain && set !== undefined) {
      ground.put(set);
      memo.routes.delete(key);
      memo.guarded.delete(key);
      continue;
    }
    ground.trouble(key, set);
    if (set === undefined) continue;
    if (isOld) old.push(set);
    else {
      pool.place(set);
      draft.add(set.entry);
    }
  }
  pool.place({ own: [], shared: ground.shared });
  // Afterwards, so that what is current wins where an old version shares something with it.
  for (const set of old) keepRoute(draft, pool, set);
}

interface Decided {
  readonly set: RouteSet | undefined;
  readonly isOld: boolean;
  readonly isPlain?: boolean;
}

function openGuards(draft: Draft, pool: MiddlewarePool): Guards {
  return new Guards({
    guards: draft
      .accepted('Guard')
      .map(({ namespace, name, accepted }) => compileGuard(namespace, name, accepted)),
    edge: draft.entry('Edge'),
    middleware: (key) => draft.entry(key) ?? pool.entryOf(key) ?? draft.lastEntry(key),
    memo: draft.memo.guarded,
  });
}

function translateRoute(draft: Draft, pool: MiddlewarePool, guards: Guards, stored: Accepted): Decided {
  const { key, accepted } = stored;
  const resource = accepted.resource as RouteResource;
  if (resource.spec.disabled) {
    draft.outcomes.set(key, { serving: 'disabled', reason: 'Disabled', resolved: true, problems: [] });
    return { set: undefined, isOld: false };
  }
  const last = draft.input.last?.routes.get(key);
  // An older version is good only as long as it violates no Guard of today.
  const isGood = last !== undefined && isUsable(draft, last) && guards.violationOf(key, last) === undefined;
  const good = isGood ? last : undefined;
  const built = buildRoute(draft, pool, stored, resource);
  if ('faults' in built) return withoutMiddleware(draft, stored, good, { faults: built.faults });
  const { set } = built;
  for (const entry of set.own) {
    const failure = draft.failureOf(entry);
    if (failure === undefined) continue;
    const message = `${entry.key}: ${failure.code}: ${failure.message}`;
    const faults: readonly Fault[] = [{ reason: 'Invalid', message, path: '', at: 'spec' }];
    return withoutMiddleware(draft, stored, good, { faults, failure });
  }
  const violation = guards.violationOf(key, set);
  if (violation !== undefined) return violating(draft, stored, good, violation);
  const failure = draft.failureOf(set.entry);
  if (failure !== undefined) {
    draft.outcomes.set(key, failedOutcome(accepted, failure, good === undefined ? 'none' : 'lastGood'));
    return { set: good, isOld: true };
  }
  reportMissing(draft, stored, resource);
  const isPlain = !draft.outcomes.has(key) && !pool.dependsOnContent(resource.spec.middlewares);
  return { set, isOld: false, isPlain };
}

/** A Guard refuses it: its last good version, or 503 for all that it matches. */
function violating(
  draft: Draft,
  { key, namespace, name, accepted }: Accepted,
  good: RouteSet | undefined,
  { guard, message, path }: Violation,
): Decided {
  if (good === undefined) {
    const resource = accepted.resource as RouteResource;
    const closed = { middlewares: [], upstreams: [], unsecured: message };
    const snapshot = routeSnapshot({ name: `${namespace}/${name}`, resource, ...closed });
    draft.add(makeEntry(key, { ...snapshot, guard }));
  }
  draft.outcomes.set(key, {
    serving: good === undefined ? 'unsecured' : 'lastGood',
    reason: 'GuardViolated',
    resolved: true,
    problems: [{ at: accepted.locate(path), path, message }],
  });
  return { set: good, isOld: true };
}

/** A middleware is missing: the last good version of the route, or 503 for all that it matches. */
function withoutMiddleware(
  draft: Draft,
  stored: Accepted,
  good: RouteSet | undefined,
  { faults, failure }: { readonly faults: readonly Fault[]; readonly failure?: FailedEntry },
): Decided {
  const { key, namespace, name, accepted } = stored;
  const resource = accepted.resource as RouteResource;
  if (good === undefined) {
    const entry = makeEntry(
      key,
      routeSnapshot({
        name: `${namespace}/${name}`,
        resource,
        middlewares: [],
        upstreams: [],
        unsecured: faults[0]?.message ?? 'a middleware is missing',
      }),
    );
    if (draft.failureOf(entry) === undefined) draft.add(entry);
  }
  const found = faultsOutcome(accepted, faults, good === undefined ? 'unsecured' : 'lastGood', draft.similar);
  // What is missing besides: whoever mends one shall see the other.
  const problems = [...found.problems, ...missingReferences(draft, stored, resource, false)];
  const outcome = { ...found, problems };
  draft.outcomes.set(key, failure === undefined ? outcome : { ...outcome, failure, reason: 'PrepareFailed' });
  return { set: good, isOld: true };
}

function buildRoute(
  draft: Draft,
  pool: MiddlewarePool,
  stored: Accepted,
  resource: RouteResource,
): BuiltRoute {
  const { key, namespace, name, accepted } = stored;
  const { spec } = resource;
  let depends = pool.dependsOf(namespace, spec.middlewares);
  for (const upstream of spec.upstreams) {
    if (upstream.name !== undefined)
      depends += draft.entry(`Upstream/${namespace}/${upstream.name}`) !== undefined ? '+' : '-';
  }
  const known = draft.memo.routes.get(key);
  if (known !== undefined && known.hash === accepted.hash && known.depends === depends) return known.built;
  const id = `${namespace}/${name}`;
  const used = pool.use(namespace, id, spec.middlewares, id);
  const built =
    used.faults.length > 0 ? { faults: used.faults } : { set: makeSet(draft, stored, resource, used) };
  draft.memo.routes.set(key, { hash: accepted.hash, depends, built });
  return built;
}

function makeSet(
  draft: Draft,
  { key, namespace, name }: Accepted,
  resource: RouteResource,
  used: UsedMiddlewares,
): RouteSet {
  const own = [...used.own];
  const upstreams = resource.spec.upstreams.map((upstream): UpstreamShare => {
    const { weight } = upstream;
    if (upstream.url === undefined) {
      const named = `Upstream/${namespace}/${upstream.name}`;
      return { key: draft.entry(named) === undefined ? null : named, weight };
    }
    const entry = translateInlineUpstream(upstream.url);
    if (!own.some((each) => each.key === entry.key)) own.push(entry);
    return { key: entry.key, weight };
  });
  const snapshot = routeSnapshot({
    name: `${namespace}/${name}`,
    resource,
    middlewares: used.keys,
    guards: used.guards,
    upstreams,
  });
  return { entry: makeEntry(key, snapshot), own, shared: used.shared };
}

/** A set that workers have refused in the meantime is good no more. */
function isUsable(draft: Draft, set: RouteSet): boolean {
  return [set.entry, ...set.own].every((entry) => draft.failureOf(entry) === undefined);
}

/** Serves an older version; a middleware that it had and that is not to be had any more closes it. */
function keepRoute(draft: Draft, pool: MiddlewarePool, set: RouteSet): void {
  const isThere = (key: string): boolean => draft.entry(key) !== undefined;
  for (const entry of set.own) if (!isThere(entry.key)) draft.add(entry);
  pool.place({ own: [], shared: set.shared });
  for (const key of set.shared) {
    const entry = draft.lastEntry(key);
    if (!isThere(key) && entry !== undefined) draft.add(entry);
  }
  const { guards, ...route } = JSON.parse(set.entry.json) as RouteSnapshot;
  const upstreams = route.upstreams.map(({ key, weight }) => ({
    key: key !== null && isThere(key) ? key : null,
    weight,
  }));
  const gone = route.middlewares.find((key) => !isThere(key));
  draft.add(
    makeEntry(
      set.entry.key,
      gone === undefined
        ? { ...route, ...(guards !== undefined && { guards }), upstreams }
        : { ...route, middlewares: [], upstreams: [], unsecured: `${gone} is missing` },
    ),
  );
}

/** References that leave a part of the route without an answer, but nothing open. */
function reportMissing(draft: Draft, stored: Accepted, resource: RouteResource): void {
  const problems = missingReferences(draft, stored, resource, true);
  if (problems.length === 0) return;
  const isUpstream = problems.some(({ path }) => path.startsWith('spec.upstreams'));
  const reason = isUpstream ? 'UpstreamMissing' : 'ListenerMissing';
  draft.outcomes.set(stored.key, { serving: 'current', reason, resolved: false, problems });
}

/** `isServed`: it is this version of the route that requests meet. */
function missingReferences(
  draft: Draft,
  { namespace, accepted }: Accepted,
  { spec }: RouteResource,
  isServed: boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (path: string, message: string, hint?: string): void => {
    problems.push({ at: accepted.locate(path), path, message, ...(hint !== undefined && { hint }) });
  };
  for (const [index, { name }] of spec.upstreams.entries()) {
    const missing = `Upstream/${namespace}/${name}`;
    if (name === undefined || draft.entry(missing) !== undefined) continue;
    const effect = isServed ? '; its share of the requests is answered 503' : '';
    const message = `Upstream ${namespace}/${name} does not exist${effect}`;
    add(`spec.upstreams[${index}].name`, message, draft.similar.hintFor(missing));
  }
  for (const [index, name] of (spec.listeners ?? []).entries()) {
    if (draft.entry(`Listener/${name}`) !== undefined) continue;
    add(`spec.listeners[${index}]`, `no Gateway has a listener called ${name}`);
  }
  return problems;
}
