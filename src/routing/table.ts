import type { RouteSnapshot } from '../snapshot/model.ts';
import { CommonValues } from './common-values.ts';
import { HostIndex } from './host-index.ts';
import { parseHostname } from './host.ts';
import { pathText } from './path-text.ts';
import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { comparePairs } from './precedence.ts';
import type { Pair } from './precedence.ts';
import { otherReadings, otherSlash } from './readings.ts';
import type { ReadingName } from './readings.ts';
import { boundAnew, compileRules, RouteError } from './rule.ts';
import type { CommonLists, Matched, MatchRequest, Rule } from './rule.ts';
import { Walk } from './walk.ts';

export type MatchResult<T> =
  | Matched<T>
  /** Some match failed by its method only; `allow`: the methods that would do, sorted. */
  | { readonly kind: 'method-not-allowed'; readonly allow: readonly string[] }
  /**
   * To be refused (400): an upstream that reads the path in another common way (`/ADMIN`, `/admin;x`) would serve what `route`
   * stands for, and the route that the path leads to literally lacks a middleware of that one.
   */
  | { readonly kind: 'ambiguous'; readonly reading: ReadingName; readonly route: string }
  | { readonly kind: 'none' };

/** Gives a route what `match` shall answer with: called once for each route when it enters a table. */
export type Bind<T> = (route: RouteSnapshot) => T;

/** Gives what `match` shall answer with from now on where only that has changed. */
export type Rebind<T> = (before: T) => T;

/** Routes to put in or replace, and names (`namespace/name`) of routes to drop and of those that are only bound anew. */
export interface RouteChange {
  readonly set: Iterable<RouteSnapshot>;
  readonly removed: Iterable<string>;
  readonly rebound?: Iterable<string>;
}

/** Its definition is not kept: the rules are what there is to know. */
interface BoundRoute<T> {
  readonly target: T;
  readonly hostnames: readonly string[];
  readonly rules: readonly Rule<T>[];
}

/** The parts of a table; each is shared with the tables it was made from as far as nothing changed in it. */
interface Parts<T> {
  routes: PersistentMap<BoundRoute<T>>;
  index: HostIndex<T> | undefined;
  /** Guarded rules whose path has capitals, by the path in lower case. */
  folded: HostIndex<T> | undefined;
  /** Number of routes with middlewares. */
  guarded: number;
  /** Of those, routes that may refuse a path with a slash at its end and not the same without. */
  slashed: number;
  /** The reverse. */
  slashless: number;
}

const NONE = Object.freeze({ kind: 'none' });
/** Work between two pauses of `changing`, in rules put in or taken out: about a millisecond. */
const SLICE = 50;
/** An expression takes as long to compile as this many other rules to put in. */
const REGEX_WEIGHT = 10;

/**
 * All routes, immutable (G2): a request reads one table from its first to its last byte, while `change` makes the next.
 * The order is that of `comparePairs`; a match costs what the depth of paths and hostnames asks for, whatever the number of
 * routes.
 */
export class RoutingTable<T> {
  private readonly parts: Readonly<Parts<T>>;

  private constructor(parts: Readonly<Parts<T>>) {
    this.parts = parts;
  }

  static empty<T>(): RoutingTable<T> {
    return new RoutingTable<T>({
      routes: PersistentMap.create({}),
      index: undefined,
      folded: undefined,
      guarded: 0,
      slashed: 0,
      slashless: 0,
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

  /** What is bound to the routes, in no order. */
  *targets(): IterableIterator<T> {
    for (const { target } of this.parts.routes.values()) yield target;
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
    const { index, guarded } = this.parts;
    if (index === undefined) return NONE;
    const { path } = request;
    const text = pathText(path);
    const walk = new Walk(request, text, undefined);
    const found = index.find(walk);
    if (found) {
      if (guarded > 0) {
        const ambiguity = this.ambiguity(request, text, { hostname: walk.hostname, rule: found });
        if (ambiguity !== undefined) return ambiguity;
      }
      return text === path && !hasVariables(found) ? found.matched : described(found, path);
    }
    if (found === undefined) return NONE;
    const allow = new Set<string>();
    index.find(new Walk(request, text, allow));
    return allow.size === 0 ? NONE : { kind: 'method-not-allowed', allow: [...allow].sort() };
  }

  /** @throws RouteError where a route cannot be compiled; this table stays what it is in any case. */
  change(change: RouteChange, bind: Bind<T>, rebind?: Rebind<T>): RoutingTable<T> {
    const steps = this.changing(change, bind, rebind);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  /** `change` in slices of about a millisecond, a route at least: whoever drives it may let other work in at every `yield`. */
  *changing(
    change: RouteChange,
    bind: Bind<T>,
    rebind: Rebind<T> = (before) => before,
  ): Generator<void, RoutingTable<T>, void> {
    const parts: Parts<T> = { ...this.parts };
    let work = 0;
    for (const step of edits(parts, change, bind, rebind)) {
      work += step;
      if (work < SLICE) continue;
      work = 0;
      yield;
    }
    return new RoutingTable(parts);
  }

  /** Whether `winner` lets a request pass by the middlewares of a rule that another reading of its path leads to. */
  private ambiguity(request: MatchRequest, text: string, winner: Pair<T>): MatchResult<T> | undefined {
    const { index, folded } = this.parts;
    // Who writes an exact path has settled what the slash means there.
    const isSlashOpen = winner.rule.path.kind !== 'Exact';
    const bySlash = isSlashOpen ? this.passedBySlash(request, text, winner) : undefined;
    if (bySlash !== undefined) return { kind: 'ambiguous', reading: 'slash', route: bySlash.route };
    for (const reading of otherReadings(request.path)) {
      const passed =
        passedBy(index, request, reading.text, winner) ?? passedBy(folded, request, reading.text, winner);
      if (passed !== undefined) return { kind: 'ambiguous', reading: reading.name, route: passed.route };
      const byBoth = isSlashOpen ? this.passedBySlash(request, reading.text, winner) : undefined;
      if (byBoth !== undefined) return { kind: 'ambiguous', reading: 'combined', route: byBoth.route };
    }
    const passed = folded === undefined ? undefined : passedBy(folded, request, text, winner);
    return passed && { kind: 'ambiguous', reading: 'case', route: passed.route };
  }

  /** The rule that `text` leads to with a slash more or less, if it might have refused what the winner lets pass. */
  private passedBySlash(request: MatchRequest, text: string, winner: Pair<T>): Rule<T> | undefined {
    const { index, folded, slashed, slashless } = this.parts;
    if ((text.endsWith('/') ? slashless : slashed) === 0) return undefined;
    const other = otherSlash(text);
    if (other === '') return undefined;
    return refusedBy(index, request, other, winner) ?? refusedBy(folded, request, other, winner);
  }
}

/** @throws RouteError */
export function buildTable<T>(routes: Iterable<RouteSnapshot>, bind: Bind<T>): RoutingTable<T> {
  return RoutingTable.empty<T>().change({ set: routes, removed: [] }, bind);
}

/** The rule that `text` leads to, if it goes before the winner and has a middleware that the winner has not. */
function passedBy<T>(
  index: HostIndex<T> | undefined,
  request: MatchRequest,
  text: string,
  winner: Pair<T>,
): Rule<T> | undefined {
  if (index === undefined) return undefined;
  const walk = new Walk(request, text, undefined);
  const rule = index.find(walk);
  if (!rule || rule.route === winner.rule.route) return undefined;
  if (rule.guards.every((guard) => winner.rule.guards.includes(guard))) return undefined;
  return comparePairs({ hostname: walk.hostname, rule }, winner) < 0 ? rule : undefined;
}

/** The same, if that middleware may refuse requests and the winner does not tell the two spellings apart itself. */
function refusedBy<T>(
  index: HostIndex<T> | undefined,
  request: MatchRequest,
  text: string,
  winner: Pair<T>,
): Rule<T> | undefined {
  const rule = passedBy(index, request, text, winner);
  if (rule === undefined || differOnlyBySlash(rule, winner.rule)) return undefined;
  return rule.refusing.every((guard) => winner.rule.guards.includes(guard)) ? undefined : rule;
}

/** Changes the parts route by route, and says of each how much work it was. */
function* edits<T>(
  parts: Parts<T>,
  { set, removed, rebound = [] }: RouteChange,
  bind: Bind<T>,
  rebind: Rebind<T>,
): Generator<number> {
  const edit: Edit = {};
  const lists: CommonLists = new CommonValues();
  for (const name of removed) yield drop(parts, edit, name);
  for (const route of set) {
    const target = bind(route);
    const hostnames = lists.of(hostnamesOf(route));
    const bound = { target, hostnames, rules: compileRules(route, target, lists) };
    yield drop(parts, edit, route.name) + put(parts, edit, route.name, bound);
  }
  for (const name of rebound) {
    const before = parts.routes.get(name);
    if (before === undefined) continue;
    const target = rebind(before.target);
    const rules = before.rules.map((rule) => boundAnew(rule, target));
    yield drop(parts, edit, name) + put(parts, edit, name, { target, hostnames: before.hostnames, rules });
  }
}

/** Says how much work it was. */
function put<T>(parts: Parts<T>, edit: Edit, name: string, bound: BoundRoute<T>): number {
  const { hostnames, rules } = bound;
  for (const hostname of hostnames) {
    for (const rule of rules) {
      parts.index = HostIndex.with(parts.index, edit, hostname, rule);
      if (rule.folded !== undefined) parts.folded = HostIndex.with(parts.folded, edit, hostname, rule.folded);
    }
  }
  if (isGuarded(rules)) parts.guarded += 1;
  countSlashes(parts, rules, 1);
  parts.routes = parts.routes.set(edit, name, bound);
  const regexes = rules.filter(({ path }) => path.kind === 'Regex').length;
  return 1 + hostnames.length * rules.length + REGEX_WEIGHT * regexes;
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

/** Says how much work it was. */
function drop<T>(parts: Parts<T>, edit: Edit, name: string): number {
  const bound = parts.routes.get(name);
  if (bound === undefined) return 1;
  for (const hostname of bound.hostnames) {
    for (const rule of bound.rules) {
      parts.index = parts.index?.without(edit, hostname, rule);
      if (rule.folded !== undefined) parts.folded = parts.folded?.without(edit, hostname, rule.folded);
    }
  }
  if (isGuarded(bound.rules)) parts.guarded -= 1;
  countSlashes(parts, bound.rules, -1);
  parts.routes = parts.routes.delete(edit, name);
  return 1 + bound.hostnames.length * bound.rules.length;
}

function isGuarded(rules: readonly Rule[]): boolean {
  return rules.some((rule) => rule.guards.length > 0);
}

/** A prefix stands for both, with the slash and without; of an expression it is not known. */
function countSlashes<T>(parts: Parts<T>, rules: readonly Rule[], by: 1 | -1): void {
  const refusing = rules.filter(
    ({ refusing: guards, path }) => guards.length > 0 && path.kind !== 'Prefix' && path.kind !== 'Any',
  );
  if (refusing.some(({ path }) => path.kind === 'Regex' || path.text.endsWith('/'))) parts.slashed += by;
  if (refusing.some(({ path }) => path.kind === 'Regex' || !path.text.endsWith('/'))) parts.slashless += by;
}

/** Whether two templates differ by nothing but a slash at the end: both are written down. */
function differOnlyBySlash(a: Rule, b: Rule): boolean {
  return a.path.kind === 'Template' && b.path.kind === 'Template' && otherSlash(a.path.text) === b.path.text;
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
  if (pattern.kind === 'Prefix' && pattern.depth > 0) {
    return { ...rule.matched, prefix: path.split('/', pattern.depth + 1).join('/') };
  }
  return rule.matched;
}
