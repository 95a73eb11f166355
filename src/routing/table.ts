import type { RouteSnapshot } from '../snapshot/model.ts';
import { parseHostname } from './host.ts';
import { HostRules } from './host-rules.ts';
import { pathText } from './path-text.ts';
import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { comparePairs } from './precedence.ts';
import type { Pair } from './precedence.ts';
import { compileRules, RouteError } from './rule.ts';
import type { Matched, MatchRequest, Rule } from './rule.ts';
import { better, Walk } from './walk.ts';
import type { Found } from './walk.ts';

export type MatchResult<T> =
  | Matched<T>
  /** Some match failed by its method only; `allow`: the methods that would do, sorted. */
  | { readonly kind: 'method-not-allowed'; readonly allow: readonly string[] }
  | { readonly kind: 'none' };

/** Gives a route what `match` shall answer with: called once for each route when it enters a table. */
export type Bind<T> = (route: RouteSnapshot) => T;

/** Routes to put in or replace and names (`namespace/name`) of routes to drop. */
export interface RouteChange {
  readonly set: Iterable<RouteSnapshot>;
  readonly removed: Iterable<string>;
}

interface BoundRoute<T> {
  readonly route: RouteSnapshot;
  readonly target: T;
  readonly hostnames: readonly string[];
  readonly rules: readonly Rule<T>[];
}

/** The parts of a table; each is shared with the tables it was made from as far as nothing changed in it. */
interface Parts<T> {
  routes: PersistentMap<BoundRoute<T>>;
  exact: PersistentMap<HostRules<T>>;
  /** By what follows the `*`: `.example.org`. */
  wildcards: PersistentMap<HostRules<T>>;
  /** No wildcard has more labels (an upper bound). */
  wildcardLabels: number;
  any: HostRules<T> | undefined;
  /** No rule has a higher priority (an upper bound). */
  top: number;
}

const NONE = Object.freeze({ kind: 'none' });
/** Routes compiled between two pauses of `changing`; about 1 ms. */
const SLICE = 50;

/**
 * All routes, immutable (G2): a request reads one table from its first to its last byte, while `change` makes the next.
 * The order is that of `comparePairs`; the cost of a match depends on the depth of paths and hostnames, not on the number of routes.
 */
export class RoutingTable<T> {
  private readonly parts: Readonly<Parts<T>>;

  private constructor(parts: Readonly<Parts<T>>) {
    this.parts = parts;
  }

  static empty<T>(): RoutingTable<T> {
    const edit: Edit = {};
    return new RoutingTable<T>({
      routes: PersistentMap.create(edit),
      exact: PersistentMap.create(edit),
      wildcards: PersistentMap.create(edit),
      wildcardLabels: 0,
      any: undefined,
      top: -Infinity,
    });
  }

  /** Number of routes. */
  get size(): number {
    return this.parts.routes.size;
  }

  /** What is bound to a route (`namespace/name`). */
  get(name: string): T | undefined {
    return this.parts.routes.get(name)?.target;
  }

  /** Routes with what is bound to them, in no order. */
  *routes(): IterableIterator<{ readonly route: RouteSnapshot; readonly target: T }> {
    yield* this.parts.routes.values();
  }

  /** Every (hostname, match) pair, in the order in which they are asked. */
  pairs(): readonly Pair<T>[] {
    const pairs: Pair<T>[] = [];
    for (const { hostnames, rules } of this.parts.routes.values()) {
      for (const hostname of hostnames) for (const rule of rules) pairs.push({ hostname, rule });
    }
    return pairs.sort(comparePairs);
  }

  match(request: MatchRequest): MatchResult<T> {
    const text = pathText(request.path);
    const found = this.find(new Walk(request, text, undefined));
    if (found)
      return text === request.path && !hasVariables(found) ? found.matched : described(found, request.path);
    if (found === undefined) return NONE;
    const allow = new Set<string>();
    this.find(new Walk(request, text, allow));
    return allow.size === 0 ? NONE : { kind: 'method-not-allowed', allow: [...allow].sort() };
  }

  /** @throws RouteError where a route cannot be compiled; this table stays what it is in any case. */
  change(change: RouteChange, bind: Bind<T>): RoutingTable<T> {
    const steps = this.changing(change, bind);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** `change` in slices of about a millisecond: whoever drives it may let other work in at every `yield`. */
  *changing({ set, removed }: RouteChange, bind: Bind<T>): Generator<void, RoutingTable<T>, void> {
    const edit: Edit = {};
    const parts: Parts<T> = { ...this.parts };
    let count = 0;
    for (const name of removed) {
      drop(parts, edit, name);
      if (++count % SLICE === 0) yield;
    }
    for (const route of set) {
      drop(parts, edit, route.name);
      put(parts, edit, route, bind(route));
      if (++count % SLICE === 0) yield;
    }
    return new RoutingTable(parts);
  }

  /** Exact host, then wildcards with the longest first, then none. */
  private find(walk: Walk): Found<T> {
    const { exact, wildcards, any, top } = this.parts;
    const { host } = walk.request;
    let found: Found<T> = exact.get(host)?.find(walk, -Infinity);
    if (found && found.priority >= top) return found;
    if (wildcards.size > 0)
      found = better(this.findWildcard(walk, found ? found.priority : -Infinity, host.length, 1), found);
    if (any === undefined) return found;
    const floor = found ? found.priority : -Infinity;
    return any.top > floor ? better(any.find(walk, floor), found) : found;
  }

  /** `end`: the suffix looked up next begins at the last dot before it. Longer suffixes are asked first. */
  private findWildcard(walk: Walk, floor: number, end: number, labels: number): Found<T> {
    const { host } = walk.request;
    const dot = host.lastIndexOf('.', end - 1);
    if (dot <= 0) return undefined;
    let found: Found<T>;
    if (labels < this.parts.wildcardLabels) {
      found = this.findWildcard(walk, floor, dot, labels + 1);
      if (found) floor = found.priority;
    }
    const rules = this.parts.wildcards.get(host.slice(dot));
    return rules !== undefined && rules.top > floor ? better(rules.find(walk, floor), found) : found;
  }
}

/** @throws RouteError */
export function buildTable<T>(routes: Iterable<RouteSnapshot>, bind: Bind<T>): RoutingTable<T> {
  return RoutingTable.empty<T>().change({ set: routes, removed: [] }, bind);
}

function put<T>(parts: Parts<T>, edit: Edit, route: RouteSnapshot, target: T): void {
  const rules = compileRules(route, target);
  const hostnames = hostnamesOf(route);
  for (const hostname of hostnames) {
    for (const rule of rules) {
      if (rule.priority > parts.top) parts.top = rule.priority;
      if (hostname === '') parts.any = HostRules.with(parts.any, edit, rule);
      else if (hostname.startsWith('*.')) {
        const suffix = hostname.slice(1);
        parts.wildcards = parts.wildcards.set(
          edit,
          suffix,
          HostRules.with(parts.wildcards.get(suffix), edit, rule),
        );
        parts.wildcardLabels = Math.max(parts.wildcardLabels, suffix.split('.').length - 1);
      } else
        parts.exact = parts.exact.set(edit, hostname, HostRules.with(parts.exact.get(hostname), edit, rule));
    }
  }
  parts.routes = parts.routes.set(edit, route.name, { route, target, hostnames, rules });
}

/** @throws RouteError */
function hostnamesOf(route: RouteSnapshot): readonly string[] {
  if (route.hostnames.length === 0) return [''];
  const hostnames = new Set<string>();
  for (const hostname of route.hostnames) {
    const parsed = parseHostname(hostname);
    if (parsed === undefined || parsed === '')
      throw new RouteError(route.name, -1, new Error(`no host is called "${hostname}"`));
    hostnames.add(parsed);
  }
  return [...hostnames];
}

function drop<T>(parts: Parts<T>, edit: Edit, name: string): void {
  const bound = parts.routes.get(name);
  if (bound === undefined) return;
  for (const hostname of bound.hostnames) {
    for (const rule of bound.rules) {
      if (hostname === '') parts.any = parts.any?.without(edit, rule);
      else if (hostname.startsWith('*.'))
        parts.wildcards = without(parts.wildcards, edit, hostname.slice(1), rule);
      else parts.exact = without(parts.exact, edit, hostname, rule);
    }
  }
  parts.routes = parts.routes.delete(edit, name);
}

function without<T>(
  hosts: PersistentMap<HostRules<T>>,
  edit: Edit,
  host: string,
  rule: Rule<T>,
): PersistentMap<HostRules<T>> {
  const left = hosts.get(host)?.without(edit, rule);
  return left === undefined ? hosts.delete(edit, host) : hosts.set(edit, host, left);
}

function hasVariables(rule: Rule): boolean {
  return rule.path.kind === 'Template' && rule.path.variables;
}

/** The match with what it took from this path: variables, and the prefix as the request spelled it. */
function described<T>(rule: Rule<T>, path: string): Matched<T> {
  const pattern = rule.path;
  if (pattern.kind === 'Template') {
    const captures = Object.create(null) as Record<string, string>;
    const sent = path.slice(1).split('/');
    pattern.segments.forEach((segment, index) => {
      if (typeof segment !== 'string') captures[segment.variable] = sent[index] as string;
    });
    return { ...rule.matched, captures };
  }
  if (pattern.kind === 'Prefix' && pattern.segments.length > 0) {
    return { ...rule.matched, prefix: path.split('/', pattern.segments.length + 1).join('/') };
  }
  return rule.matched;
}
