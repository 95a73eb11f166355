import type { MatchSnapshot, RouteSnapshot } from '../snapshot/model.ts';
import { CommonValues } from './common-values.ts';
import type { HeaderList } from './header-list.ts';
import { compilePathPattern, foldedPattern, PathPatternError } from './path-pattern.ts';
import type { PathPattern } from './path-pattern.ts';
import { queryParameter } from './query.ts';
import { RegexError } from './regex.ts';
import { HeaderCondition, ValueCondition } from './value-condition.ts';

/** One match of one route, compiled; the same for all its hostnames. */
export interface Rule<T = unknown> {
  readonly priority: number;
  readonly path: PathPattern;
  /** Undefined: any. */
  readonly methods: readonly string[] | undefined;
  readonly headers: readonly ValueCondition[];
  readonly query: readonly ValueCondition[];
  /** Undefined: all. */
  readonly listeners: readonly string[] | undefined;
  /** `namespace/name`. */
  readonly route: string;
  readonly matchIndex: number;
  /** Keys of its route's middlewares: what is passed by where a request reaches the same resource by another route. */
  readonly guards: readonly string[];
  /** Those of them that may refuse a request. */
  readonly refusing: readonly string[];
  /** The rule for the path in lower case, where that differs and there is something to guard. */
  readonly folded: Rule<T> | undefined;
  /** What `match` answers where nothing of the request has to be told: one object for all requests. */
  readonly matched: Matched<T>;
}

/** A rule won. */
export interface Matched<T> {
  readonly kind: 'matched';
  readonly target: T;
  /** `namespace/name`. */
  readonly route: string;
  /** Index in `RouteSnapshot.matches`. */
  readonly matchIndex: number;
  /** The path condition's value as written. */
  readonly pattern: string | undefined;
  /** The part of the request's path that a prefix condition stands for: `/users`; undefined for other conditions. */
  readonly prefix: string | undefined;
  /** Segments for the template's variables, percent-encoded as in the path. */
  readonly captures: Readonly<Record<string, string>>;
}

/** A request as far as routes are concerned. */
export interface MatchRequest {
  /** As `parseHost` gives it. */
  readonly host: string;
  /** As `parseTarget` gives it. */
  readonly path: string;
  readonly method: string;
  readonly headers: HeaderList;
  /** Raw, without `?`. */
  readonly query: string;
  /** Name of the listener that took it; undefined: routes of every listener are considered. */
  readonly listener?: string | undefined;
}

/** A route that cannot be compiled; validation finds all of this beforehand. */
export class RouteError extends Error {
  override readonly name = 'RouteError';
  readonly route: string;
  /** -1: not about a match. */
  readonly matchIndex: number;

  constructor(route: string, matchIndex: number, cause: Error) {
    super(`route ${route}${matchIndex < 0 ? '' : `, match ${matchIndex}`}: ${cause.message}`, { cause });
    this.route = route;
    this.matchIndex = matchIndex;
  }
}

const NO_CAPTURES: Readonly<Record<string, string>> = Object.freeze(
  Object.create(null) as Record<string, string>,
);

/**
 * `lists`: of the routes that are compiled together.
 * @throws RouteError
 */
export function compileRules<T>(
  route: RouteSnapshot,
  target: T,
  lists: CommonLists = new CommonValues(),
): readonly Rule<T>[] {
  const guards = guardsOf(route);
  const common: CommonParts = {
    lists,
    listeners: route.listeners && lists.of(route.listeners),
    guards,
    refusing: lists.of(refusingOf(route, guards)),
  };
  return route.matches.map((match, matchIndex) => {
    try {
      return compileRule(route, match, matchIndex, target, common);
    } catch (error) {
      if (error instanceof PathPatternError || error instanceof RegexError)
        throw new RouteError(route.name, matchIndex, error);
      throw error;
    }
  });
}

/** Lists of words that are kept once. */
export type CommonLists = CommonValues<readonly string[]>;

/** The same for all matches of a route. */
type CommonParts = Pick<Rule, 'listeners' | 'guards' | 'refusing'> & { readonly lists: CommonLists };

function compileRule<T>(
  route: RouteSnapshot,
  match: MatchSnapshot,
  matchIndex: number,
  target: T,
  { lists, listeners, guards, refusing }: CommonParts,
): Rule<T> {
  const path = compilePathPattern(match.path);
  const rule: Rule<T> = {
    priority: route.priority,
    path,
    methods: match.methods.length === 0 ? undefined : lists.of(match.methods),
    headers: listOf(match.headers.map((each) => new HeaderCondition(each))),
    query: listOf(match.query.map((each) => new ValueCondition(each))),
    listeners,
    route: route.name,
    matchIndex,
    guards,
    refusing,
    folded: undefined,
    matched: Object.freeze<Matched<T>>({
      kind: 'matched',
      target,
      route: route.name,
      matchIndex,
      pattern: match.path?.value,
      prefix: path.kind === 'Prefix' ? path.prefix : undefined,
      captures: NO_CAPTURES,
    }),
  };
  const folded = rule.guards.length === 0 ? path : foldedPattern(path);
  return folded === path ? rule : { ...rule, folded: { ...rule, path: folded } };
}

function guardsOf({ name, middlewares, unsecured }: RouteSnapshot): readonly string[] {
  return unsecured === undefined ? middlewares : [...middlewares, `unsecured/${name}`];
}

const NOTHING: readonly string[] = [];

/** One list for all that have none, and for all of whom every one refuses. */
function refusingOf(
  { middlewares, guards: places = [], unsecured }: RouteSnapshot,
  guards: readonly string[],
): readonly string[] {
  if (places.length === middlewares.length) return guards;
  const refusing = middlewares.filter((_, place) => places.includes(place));
  if (unsecured !== undefined) refusing.push(...guards.slice(middlewares.length));
  return refusing.length === 0 ? NOTHING : refusing;
}

/** The same rule for a route that is bound anew: path and conditions are shared, nothing is compiled again. */
export function boundAnew<T>(rule: Rule<T>, target: T): Rule<T> {
  const matched = Object.freeze<Matched<T>>({ ...rule.matched, target });
  const { folded } = rule;
  return { ...rule, matched, folded: folded && { ...folded, matched } };
}

const NO_CONDITIONS: readonly ValueCondition[] = [];

function listOf(conditions: readonly ValueCondition[]): readonly ValueCondition[] {
  return conditions.length === 0 ? NO_CONDITIONS : conditions;
}

export function acceptsMethod(rule: Rule, method: string): boolean {
  return rule.methods === undefined || rule.methods.includes(method);
}

/**
 * Whether everything but path and method holds. A header that was sent several times counts as one value, joined by
 * commas (RFC 9110 §5.3); of a repeated query parameter the first counts.
 */
export function conditionsHold(rule: Rule, request: MatchRequest): boolean {
  const { listeners, headers, query } = rule;
  if (listeners !== undefined && request.listener !== undefined && !listeners.includes(request.listener))
    return false;
  for (let i = 0; i < headers.length; i++) {
    const condition = headers[i] as ValueCondition;
    const value = headerValue(request.headers, condition.name);
    if (value === undefined || !condition.test(value)) return false;
  }
  for (let i = 0; i < query.length; i++) {
    const condition = query[i] as ValueCondition;
    const value = queryParameter(request.query, condition.name);
    if (value === undefined || !condition.test(value)) return false;
  }
  return true;
}

function headerValue(headers: HeaderList, name: string): string | undefined {
  const first = headers.indexOf(name, 0);
  if (first < 0) return undefined;
  const second = headers.indexOf(name, first + 2);
  return second < 0 ? headers.raw[first + 1] : headers.getAll(name).join(',');
}
