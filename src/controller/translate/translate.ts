import type { Problem } from '../../snapshot/messages.ts';
import type {
  EdgeSnapshot,
  Entry,
  ListenerSnapshot,
  RouteSnapshot,
  UpstreamShare,
} from '../../snapshot/model.ts';
import type { Document } from '../store/document.ts';
import type { Store, Stored } from '../store/store.ts';
import { findConflicts } from './conflicts.ts';
import { claimsOverlap, defaultListener, edgeEntry, listenerEntry } from './edge.ts';
import { makeEntry } from './entry.ts';
import type { FindMiddleware, MiddlewareBlock, MiddlewareFault, MiddlewareUse } from './middleware.ts';
import { blockOf, isPerRoute, translateMiddleware, useOf } from './middleware.ts';
import type {
  GatewayResource,
  MiddlewareResource,
  RouteResource,
  UpstreamResource,
} from '../../resources/generated.ts';
import { routeSignatures, routeSnapshot } from './route.ts';
import type { FailedEntry, KeyRequest, KeyState, Outcome, RouteSet, Translation } from './translation.ts';
import { translateInlineUpstream, translateUpstream } from './upstream.ts';

export interface TranslateInput {
  readonly store: Store;
  readonly find: FindMiddleware;
  /** Version of a key's content, or why it cannot be had. */
  readonly keyState: (request: KeyRequest) => KeyState;
  /** What is served now: where last good versions come from. */
  readonly last: Translation | undefined;
  /** May the default listener exist (G11)? */
  readonly defaultListener: boolean;
  /** Definitions that workers refused, by entry key. */
  readonly failed: ReadonlyMap<string, FailedEntry>;
}

/** Remembers what became of a resource as long as neither it nor what it refers to changed. Owned by the caller. */
export interface TranslateMemo {
  readonly routes: Map<
    string,
    { readonly hash: string; readonly depends: string; readonly built: BuiltRoute }
  >;
  readonly entries: Map<string, { readonly hash: string; readonly entry: Entry }>;
}

export function createMemo(): TranslateMemo {
  return { routes: new Map(), entries: new Map() };
}

type BuiltRoute = { readonly set: RouteSet } | { readonly faults: readonly Fault[] };

interface Fault extends MiddlewareFault {
  /** Field path in the document that refers to it. */
  readonly at: string;
}

interface MiddlewareState {
  /** Present: it can be used, maybe in an older version. */
  readonly entry: Entry | undefined;
  readonly block: MiddlewareBlock;
  readonly perRoute: boolean;
  readonly current: boolean;
}

/** Resources → entries and what is to be said about each. Pure, but for `memo`, which changes no result. */
export function translate(input: TranslateInput, memo: TranslateMemo): Translation {
  return new Translator(input, memo).run();
}

/** One translation: each step reads what the steps before it have put down. */
class Translator {
  private readonly input: TranslateInput;
  private readonly memo: TranslateMemo;
  private readonly entries = new Map<string, Entry>();
  private readonly outcomes = new Map<string, Outcome>();
  private readonly warnings: Problem[] = [];
  private readonly middlewares = new Map<string, MiddlewareState>();
  private readonly routes = new Map<string, RouteSet>();
  private readonly listeners = new Map<string, readonly Entry[]>();
  /** Gateways that lost a port: the middlewares that they ask for hold all the same. */
  private readonly refusedGateways: (Stored & { readonly accepted: Document })[] = [];
  /** A Gateway goes on with its last good listeners: so does the edge. */
  private edgeStays = false;
  /** Routes served from an older version: put in place when all that is current is there. */
  private readonly retained: RouteSet[] = [];

  constructor(input: TranslateInput, memo: TranslateMemo) {
    this.input = input;
    this.memo = memo;
  }

  run(): Translation {
    for (const stored of this.stored('Upstream')) this.upstream(stored);
    for (const stored of this.stored('Middleware')) this.middleware(stored);
    const gateways = this.gateways();
    this.edge(gateways);
    for (const stored of this.stored('Route')) this.route(stored);
    for (const set of this.retained) this.retain(set);
    const { entries, outcomes, warnings, routes, listeners } = this;
    for (const key of this.memo.routes.keys())
      if (!this.input.store.resources.has(key)) this.memo.routes.delete(key);
    for (const key of this.memo.entries.keys()) if (!entries.has(key)) this.memo.entries.delete(key);
    warnings.push(...findConflicts(routes, (key) => this.input.store.resources.get(key)));
    return { entries, outcomes, warnings, routes, listeners };
  }

  private *stored(kind: string): Iterable<Stored & { readonly accepted: Document }> {
    for (const stored of this.input.store.resources.values()) {
      if (stored.kind === kind && stored.accepted !== undefined) {
        yield stored as Stored & { readonly accepted: Document };
      }
    }
  }

  private upstream({ key, namespace, name, accepted }: Stored & { readonly accepted: Document }): void {
    const resource = accepted.resource as UpstreamResource;
    const entry = this.remember(key, accepted.hash, () => translateUpstream(namespace, name, resource));
    const failure = this.failureOf(entry);
    if (failure === undefined) {
      this.entries.set(entry.key, entry);
      return;
    }
    const good = this.lastEntry(entry.key);
    if (good !== undefined) this.entries.set(good.key, good);
    this.outcomes.set(key, failedOutcome(accepted, failure, good === undefined ? 'none' : 'lastGood'));
  }

  private middleware({ key, namespace, name, accepted }: Stored & { readonly accepted: Document }): void {
    const resource = accepted.resource as MiddlewareResource;
    const block = blockOf(resource);
    const result = translateMiddleware({
      key,
      name: `${namespace}/${name}`,
      block,
      find: this.input.find,
      keyState: this.input.keyState,
    });
    const perRoute = isPerRoute(resource);
    if ('entry' in result) {
      const failure = this.failureOf(result.entry);
      if (failure === undefined) {
        this.entries.set(key, result.entry);
        this.middlewares.set(key, { entry: result.entry, block, perRoute, current: true });
        return;
      }
      const good = this.lastMiddleware(key, block, perRoute);
      this.outcomes.set(key, failedOutcome(accepted, failure, good === undefined ? 'none' : 'lastGood'));
      return;
    }
    const good = this.lastMiddleware(key, block, perRoute);
    const { reason, message, path } = result.fault;
    const field = join(`spec.${block.type}`, path);
    this.outcomes.set(key, {
      serving: good === undefined ? 'none' : 'lastGood',
      reason,
      resolved: reason !== 'KeyMissing',
      problems: [{ at: accepted.locate(field), path: field, message }],
    });
  }

  /** Puts the last good version of a middleware in place. A per-route one has instances of its own: their routes keep them. */
  private lastMiddleware(key: string, block: MiddlewareBlock, perRoute: boolean): Entry | undefined {
    const good = this.lastEntry(key);
    if (good !== undefined) this.entries.set(key, good);
    this.middlewares.set(key, { entry: perRoute ? undefined : good, block, perRoute, current: false });
    return good;
  }

  /** Claims ports, Gateway by Gateway; those that are served already come first. */
  private gateways(): readonly (Stored & { readonly accepted: Document })[] {
    const all = [...this.stored('Gateway')].sort((a, b) => (a.key < b.key ? -1 : 1));
    const isServed = (key: string): boolean => (this.input.last?.listeners.get(key)?.length ?? 0) > 0;
    const ordered = [...all.filter(({ key }) => isServed(key)), ...all.filter(({ key }) => !isServed(key))];
    const claims: { readonly listener: ListenerSnapshot; readonly owner: string }[] = [];
    const taken: (Stored & { readonly accepted: Document })[] = [];
    for (const stored of ordered) {
      const { spec } = stored.accepted.resource as GatewayResource;
      const conflict = findClaimConflict(spec.listeners, claims);
      if (conflict === undefined) {
        taken.push(stored);
        this.claim(stored, spec.listeners, claims);
        continue;
      }
      const lastGood = (this.input.last?.listeners.get(stored.key) ?? []).map(
        (entry) => JSON.parse(entry.json) as ListenerSnapshot,
      );
      const keeps = lastGood.length > 0 && findClaimConflict(lastGood, claims) === undefined;
      if (keeps) this.claim(stored, lastGood, claims);
      this.edgeStays ||= keeps;
      this.refusedGateways.push(stored);
      const path = `spec.listeners[${conflict.index}]`;
      this.outcomes.set(stored.key, {
        serving: keeps ? 'lastGood' : 'none',
        reason: 'PortConflict',
        resolved: true,
        problems: [{ at: stored.accepted.locate(path), path, message: conflict.message }],
      });
    }
    if (claims.length === 0 && this.input.defaultListener && this.failureOf(defaultListener) === undefined) {
      this.entries.set(defaultListener.key, defaultListener);
    }
    return taken.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  private claim(
    stored: Stored & { readonly accepted: Document },
    listeners: readonly ListenerSnapshot[],
    claims: { readonly listener: ListenerSnapshot; readonly owner: string }[],
  ): void {
    const entries: Entry[] = [];
    for (const listener of listeners) {
      claims.push({ listener, owner: stored.key });
      const entry = listenerEntry(listener);
      const failure = this.failureOf(entry);
      if (failure === undefined) {
        entries.push(entry);
        continue;
      }
      const good = this.lastEntry(entry.key);
      if (good !== undefined) entries.push(good);
      this.outcomes.set(
        stored.key,
        failedOutcome(stored.accepted, failure, good === undefined ? 'none' : 'lastGood', 'spec.listeners'),
      );
    }
    for (const entry of entries) this.entries.set(entry.key, entry);
    this.listeners.set(stored.key, entries);
  }

  private edge(gateways: readonly (Stored & { readonly accepted: Document })[]): void {
    const middlewares: string[] = [];
    const faults: string[] = [];
    const own: Entry[] = [];
    for (const { key, namespace, name, accepted } of [...gateways, ...this.refusedGateways]) {
      const { spec } = accepted.resource as GatewayResource;
      const base = `Gateway/${namespace}/${name}`;
      const used = this.useMiddlewares(namespace, base, spec.middlewares, undefined);
      middlewares.push(...used.keys);
      own.push(...used.own);
      for (const fault of used.faults) faults.push(`${key}: ${fault.message}`);
      if (used.faults.length > 0) {
        const served = this.lastEdge() === undefined ? 'unsecured' : 'lastGood';
        this.outcomes.set(key, faultsOutcome(accepted, used.faults, served));
      }
    }
    // A Gateway that was never good may ask for a middleware on every route: until it can be read, nothing is open.
    for (const stored of this.input.store.resources.values()) {
      if (stored.kind === 'Gateway' && stored.accepted === undefined && this.lastEdge() === undefined) {
        faults.push(`${stored.key} is refused`);
      }
    }
    const resources = gateways.map(({ accepted }) => accepted.resource as GatewayResource);
    const [fault] = faults;
    const entry =
      fault === undefined
        ? edgeEntry({ gateways: resources, middlewares })
        : edgeEntry({ gateways: resources, middlewares: [], unsecured: fault });
    const good = this.lastEdge();
    const stays = fault !== undefined || this.edgeStays || this.failureOf(entry) !== undefined;
    if (!stays || good === undefined) {
      for (const each of own) this.entries.set(each.key, each);
      this.entries.set(entry.key, entry);
      return;
    }
    this.entries.set('Edge', good);
    for (const key of (JSON.parse(good.json) as EdgeSnapshot).middlewares) {
      const middleware = this.entries.get(key) ?? this.lastEntry(key);
      if (middleware !== undefined) this.entries.set(key, middleware);
    }
  }

  /** The edge as served now, unless it answers 503. */
  private lastEdge(): Entry | undefined {
    const entry = this.lastEntry('Edge');
    return entry === undefined || 'unsecured' in (JSON.parse(entry.json) as object) ? undefined : entry;
  }

  private route({ key, accepted, namespace, name }: Stored & { readonly accepted: Document }): void {
    const resource = accepted.resource as RouteResource;
    if (resource.spec.disabled) {
      this.outcomes.set(key, { serving: 'disabled', resolved: true, problems: [], reason: 'Disabled' });
      return;
    }
    const built = this.buildRoute(key, namespace, name, accepted);
    if ('faults' in built) {
      this.unsecured(key, `${namespace}/${name}`, accepted, built.faults);
      return;
    }
    const { set } = built;
    for (const entry of set.own) {
      const failure = this.failureOf(entry);
      if (failure === undefined) continue;
      const message = `${entry.key}: ${failure.code}: ${failure.message}`;
      this.unsecured(
        key,
        `${namespace}/${name}`,
        accepted,
        [{ reason: 'Invalid', message, path: '', at: 'spec' }],
        failure,
      );
      return;
    }
    const failure = this.failureOf(set.entry);
    if (failure !== undefined) {
      const good = this.input.last?.routes.get(key);
      const usable = good !== undefined && this.isUsable(good);
      if (usable) this.keep(key, good);
      this.outcomes.set(key, failedOutcome(accepted, failure, usable ? 'lastGood' : 'none'));
      return;
    }
    this.routes.set(key, set);
    for (const entry of set.own) this.entries.set(entry.key, entry);
    this.entries.set(set.entry.key, set.entry);
    this.missingUpstreams(key, namespace, accepted, resource);
  }

  private buildRoute(key: string, namespace: string, name: string, accepted: Document): BuiltRoute {
    const resource = accepted.resource as RouteResource;
    const depends = this.dependsOf(namespace, resource);
    const known = this.memo.routes.get(key);
    if (known !== undefined && known.hash === accepted.hash && known.depends === depends) return known.built;
    const used = this.useMiddlewares(
      namespace,
      `${namespace}/${name}`,
      resource.spec.middlewares,
      `${namespace}/${name}`,
    );
    const built: BuiltRoute =
      used.faults.length > 0
        ? { faults: used.faults }
        : { set: this.routeSet(namespace, name, resource, used) };
    this.memo.routes.set(key, { hash: accepted.hash, depends, built });
    return built;
  }

  private routeSet(
    namespace: string,
    name: string,
    resource: RouteResource,
    used: {
      readonly keys: readonly string[];
      readonly own: readonly Entry[];
      readonly shared: readonly string[];
    },
  ): RouteSet {
    const own = [...used.own];
    const shares: UpstreamShare[] = resource.spec.upstreams.map((upstream) => {
      if (upstream.url !== undefined) {
        const entry = translateInlineUpstream(upstream.url);
        if (!own.some((each) => each.key === entry.key)) own.push(entry);
        return { key: entry.key, weight: upstream.weight };
      }
      const key = `Upstream/${namespace}/${upstream.name}`;
      return { key: this.entries.has(key) ? key : null, weight: upstream.weight };
    });
    const snapshot = routeSnapshot({
      name: `${namespace}/${name}`,
      resource,
      middlewares: used.keys,
      upstreams: shares,
    });
    return {
      entry: makeEntry(`Route/${namespace}/${name}`, snapshot),
      own,
      shared: used.shared,
      signatures: routeSignatures(snapshot),
      priority: snapshot.priority,
    };
  }

  /** All that a route's translation depends on besides its own text. */
  private dependsOf(namespace: string, { spec }: RouteResource): string {
    let text = '';
    for (const use of spec.middlewares) {
      const found = useOf(use);
      if ('name' in found) {
        const state = this.middlewares.get(`Middleware/${namespace}/${found.name}`);
        text +=
          state === undefined ? '-' : `${state.perRoute ? state.entry?.hash : state.entry !== undefined};`;
      } else {
        for (const request of this.input.find(found.type)?.keys?.(found.config) ?? []) {
          const state = this.input.keyState(request);
          text += 'version' in state ? `${state.version};` : `!${state.error};`;
        }
      }
    }
    for (const { name } of spec.upstreams) {
      if (name !== undefined) text += this.entries.has(`Upstream/${namespace}/${name}`) ? '+' : '-';
    }
    return text;
  }

  /** Entries and keys of a list of middlewares as written; `route` where per-route instances are to be made. */
  private useMiddlewares(
    namespace: string,
    base: string,
    uses: readonly MiddlewareUse[],
    route: string | undefined,
  ): {
    readonly keys: readonly string[];
    readonly own: readonly Entry[];
    readonly shared: readonly string[];
    readonly faults: readonly Fault[];
  } {
    const keys: string[] = [];
    const own: Entry[] = [];
    const shared: string[] = [];
    const faults: Fault[] = [];
    const counts = new Map<string, number>();
    uses.forEach((use, index) => {
      const at = `spec.middlewares[${index}]`;
      const found = useOf(use);
      if ('name' in found) {
        const key = `Middleware/${namespace}/${found.name}`;
        const state = this.middlewares.get(key);
        if (state?.entry === undefined) {
          const message = `Middleware ${namespace}/${found.name} ${state === undefined && !this.input.store.resources.has(key) ? 'does not exist' : 'is refused'}`;
          faults.push({ reason: 'Invalid', message, path: '', at: `${at}.name` });
        } else if (state.perRoute && route !== undefined) {
          const instance = `${key}@${route}`;
          const snapshot = JSON.parse(state.entry.json) as object;
          own.push(makeEntry(instance, snapshot));
          keys.push(instance);
        } else {
          shared.push(key);
          keys.push(key);
        }
        return;
      }
      const count = counts.get(found.type) ?? 0;
      counts.set(found.type, count + 1);
      const name = `${base}#${found.type}.${count}`;
      const result = translateMiddleware({
        key: `Middleware/${name}`,
        name,
        block: found,
        find: this.input.find,
        keyState: this.input.keyState,
      });
      if ('fault' in result) {
        faults.push({ ...result.fault, at: join(`${at}.${found.type}`, result.fault.path) });
        return;
      }
      const failure = this.failureOf(result.entry);
      if (failure !== undefined && route === undefined) {
        faults.push({ reason: 'Invalid', message: failure.message, path: '', at });
        return;
      }
      own.push(result.entry);
      keys.push(result.entry.key);
    });
    return { keys, own, shared, faults };
  }

  /** A middleware is missing: the last good version of the route, or 503 for all that it matches. */
  private unsecured(
    key: string,
    name: string,
    accepted: Document,
    faults: readonly Fault[],
    failure?: FailedEntry,
  ): void {
    const last = this.input.last?.routes.get(key);
    const good = last !== undefined && this.isUsable(last) ? last : undefined;
    if (good !== undefined) {
      this.keep(key, good);
    } else {
      const message = faults[0]?.message ?? 'a middleware is missing';
      const resource = accepted.resource as RouteResource;
      const snapshot: RouteSnapshot = routeSnapshot({
        name,
        resource,
        middlewares: [],
        upstreams: [],
        unsecured: message,
      });
      const entry = makeEntry(key, snapshot);
      if (this.failureOf(entry) === undefined) this.entries.set(key, entry);
    }
    const outcome = faultsOutcome(accepted, faults, good === undefined ? 'unsecured' : 'lastGood');
    this.outcomes.set(
      key,
      failure === undefined ? outcome : { ...outcome, failure, reason: 'PrepareFailed' },
    );
  }

  /** A set that workers refused in the meantime is good no more. */
  private isUsable(set: RouteSet): boolean {
    return [set.entry, ...set.own].every((entry) => this.failureOf(entry) === undefined);
  }

  private keep(key: string, set: RouteSet): void {
    this.routes.set(key, set);
    this.retained.push(set);
  }

  /** What is current wins where an old version shares something with it. */
  private retain(set: RouteSet): void {
    for (const entry of set.own) if (!this.entries.has(entry.key)) this.entries.set(entry.key, entry);
    for (const key of set.shared) {
      const entry = this.lastEntry(key);
      if (!this.entries.has(key) && entry !== undefined) this.entries.set(key, entry);
    }
    const route = JSON.parse(set.entry.json) as RouteSnapshot;
    const upstreams = route.upstreams.map(({ key, weight }) => ({
      key: key !== null && this.entries.has(key) ? key : null,
      weight,
    }));
    this.entries.set(set.entry.key, makeEntry(set.entry.key, { ...route, upstreams }));
  }

  private missingUpstreams(
    key: string,
    namespace: string,
    accepted: Document,
    { spec }: RouteResource,
  ): void {
    const problems: Problem[] = [];
    let reason = '';
    spec.upstreams.forEach(({ name }, index) => {
      if (name === undefined || this.entries.has(`Upstream/${namespace}/${name}`)) return;
      const path = `spec.upstreams[${index}].name`;
      const message = `Upstream ${namespace}/${name} does not exist; its share of the requests is answered 503`;
      problems.push({ at: accepted.locate(path), path, message });
      reason = 'UpstreamMissing';
    });
    spec.listeners?.forEach((name, index) => {
      if (this.entries.has(`Listener/${name}`)) return;
      const path = `spec.listeners[${index}]`;
      problems.push({ at: accepted.locate(path), path, message: `no Gateway has a listener called ${name}` });
      if (reason === '') reason = 'ListenerMissing';
    });
    if (problems.length > 0)
      this.outcomes.set(key, { serving: 'current', reason, resolved: false, problems });
  }

  private failureOf(entry: Entry): FailedEntry | undefined {
    const failure = this.input.failed.get(entry.key);
    return failure?.hash === entry.hash ? failure : undefined;
  }

  private lastEntry(key: string): Entry | undefined {
    const entry = this.input.last?.entries.get(key);
    return entry === undefined || this.failureOf(entry) !== undefined ? undefined : entry;
  }

  private remember(key: string, hash: string, make: () => Entry): Entry {
    const known = this.memo.entries.get(key);
    if (known?.hash === hash) return known.entry;
    const entry = make();
    this.memo.entries.set(key, { hash, entry });
    return entry;
  }
}

function findClaimConflict(
  wanted: readonly ListenerSnapshot[],
  claims: readonly { readonly listener: ListenerSnapshot; readonly owner: string }[],
): { readonly index: number; readonly message: string } | undefined {
  for (const [index, listener] of wanted.entries()) {
    const others = [
      ...claims,
      ...wanted.slice(0, index).map((each) => ({ listener: each, owner: 'the same Gateway' })),
    ];
    for (const { listener: other, owner } of others) {
      if (other.name === listener.name) {
        return { index, message: `a listener called ${listener.name} belongs to ${owner} already` };
      }
      if (claimsOverlap(other, listener)) {
        return {
          index,
          message: `port ${listener.port} is claimed by listener ${other.name} of ${owner} already`,
        };
      }
    }
  }
  return undefined;
}

function failedOutcome(
  accepted: Document,
  failure: FailedEntry,
  serving: Outcome['serving'],
  path = '',
): Outcome {
  const { code, message } = failure;
  const problems = [
    { at: path === '' ? accepted.at : accepted.locate(path), path, message: `${code}: ${message}` },
  ];
  return { serving, reason: 'PrepareFailed', resolved: true, problems, failure: { code, message } };
}

function faultsOutcome(accepted: Document, faults: readonly Fault[], serving: Outcome['serving']): Outcome {
  const problems = faults.map(({ at, message }) => ({ at: accepted.locate(at), path: at, message }));
  const reason = faults[0]?.at.endsWith('.name') === true ? 'MiddlewareMissing' : faults[0]?.reason;
  return { serving, ...(reason !== undefined && { reason }), resolved: false, problems };
}

function join(base: string, path: string): string {
  return path === '' ? base : path.startsWith('[') ? `${base}${path}` : `${base}.${path}`;
}
