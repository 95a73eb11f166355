import { fromFieldValue } from '../routing/field-value.ts';
import { pathText } from '../routing/path-text.ts';
import type { PathPattern } from '../routing/path-pattern.ts';
import type { Pair } from '../routing/precedence.ts';
import { queryParameter } from '../routing/query.ts';
import { acceptsMethod } from '../routing/rule.ts';
import type { MatchRequest, Rule } from '../routing/rule.ts';
import type { ValueCondition } from '../routing/value-condition.ts';
import type { RouteSnapshot, ValueMatch } from '../snapshot/model.ts';

/** A (hostname, match) pair that did not get a request, and the first of its conditions that failed. */
export interface NearLoser {
  /** `namespace/name` */
  readonly route: string;
  /** '': any host. */
  readonly hostname: string;
  readonly matchIndex: number;
  readonly failed: FailedCondition;
}

/** In the order in which they are asked here; `precedence`: everything holds, but another pair is asked first. */
export type ConditionName = 'host' | 'path' | 'method' | 'header' | 'query' | 'listener' | 'precedence';

export interface FailedCondition {
  readonly condition: ConditionName;
  /** Of a header or a query parameter. */
  readonly name?: string;
  /** What it asks for, in words. */
  readonly expected: string;
  /** Of a header or query parameter: it was not sent at all. */
  readonly absent?: true;
}

const rank: Readonly<Record<ConditionName, number>> = {
  precedence: 0,
  listener: 1,
  query: 2,
  header: 3,
  method: 4,
  path: 5,
  host: 6,
};

/** The first condition of a pair that a request fails; undefined: all hold. */
export function firstFailure(
  { hostname, rule }: Pair<RouteSnapshot>,
  request: MatchRequest,
): FailedCondition | undefined {
  const { host, method, listener } = request;
  if (!hostHolds(hostname, host)) return { condition: 'host', expected: hostname };
  const match = rule.matched.target.matches[rule.matchIndex];
  if (!pathHolds(rule.path, pathText(request.path)))
    return {
      condition: 'path',
      expected: `${match?.path?.type.toLowerCase() ?? ''} ${match?.path?.value ?? ''}`,
    };
  if (!acceptsMethod(rule, method)) return { condition: 'method', expected: (rule.methods ?? []).join(', ') };
  for (const condition of rule.headers) {
    const values = request.headers.getAll(condition.name);
    const value = values.length === 0 ? undefined : values.join(',');
    const failed = valueFailure('header', condition, value);
    if (failed !== undefined) return failed;
  }
  for (const condition of rule.query) {
    const failed = valueFailure('query', condition, queryParameter(request.query, condition.name));
    if (failed !== undefined) return failed;
  }
  if (rule.listeners !== undefined && listener !== undefined && !rule.listeners.includes(listener))
    return { condition: 'listener', expected: rule.listeners.join(', ') };
  return undefined;
}

/**
 * The pairs that came nearest to getting a request, nearest first: those that match too but are asked later, then those of
 * its host and path, then those of a similar path or another host. `pairs` in the order of precedence.
 */
export function findNearLosers(
  pairs: readonly Pair<RouteSnapshot>[],
  request: MatchRequest,
  winner: { readonly route: string; readonly matchIndex: number; readonly hostname: string } | undefined,
  limit: number,
): { readonly losers: readonly NearLoser[]; readonly more: number } {
  const found: NearLoser[] = [];
  for (const pair of pairs) {
    const { hostname, rule } = pair;
    const { route, matchIndex } = rule;
    if (winner?.route === route && winner.matchIndex === matchIndex && winner.hostname === hostname) continue;
    const failed = firstFailure(pair, request) ?? { condition: 'precedence', expected: 'to be asked first' };
    if (!isNear(failed, rule, request)) continue;
    found.push({ route, hostname, matchIndex, failed });
  }
  // The sort is stable: among equals the order of precedence stays.
  found.sort((a, b) => rank[a.failed.condition] - rank[b.failed.condition]);
  return { losers: found.slice(0, limit), more: Math.max(0, found.length - limit) };
}

/** Which rule of precedence puts `first` before `second`, in words. */
export function precedenceBetween(first: Pair, second: Pair): string {
  if (first.rule.priority !== second.rule.priority)
    return `priority ${first.rule.priority} before ${second.rule.priority}`;
  if (first.hostname !== second.hostname)
    return `hostname ${first.hostname || '(any)'} before ${second.hostname || '(any)'}`;
  if (!samePath(first, second)) return `path ${pathWords(first.rule)} before ${pathWords(second.rule)}`;
  if ((first.rule.methods === undefined) !== (second.rule.methods === undefined))
    return 'a match with methods before one without';
  if (first.rule.headers.length !== second.rule.headers.length) return 'more header conditions';
  if (first.rule.query.length !== second.rule.query.length) return 'more query conditions';
  return first.rule.route === second.rule.route
    ? 'an earlier match of the same route'
    : 'nothing but their names tells them apart';
}

function samePath(a: Pair, b: Pair): boolean {
  return a.rule.path.kind === b.rule.path.kind && a.rule.path.text === b.rule.path.text;
}

function pathWords({ path, matched }: Rule): string {
  return path.kind === 'Any' ? '(any)' : `${path.kind.toLowerCase()} ${matched.pattern ?? ''}`;
}

function hostHolds(hostname: string, host: string): boolean {
  if (hostname === '' || hostname === host) return true;
  return hostname.startsWith('*.') && host.length > hostname.length - 1 && host.endsWith(hostname.slice(1));
}

function pathHolds(path: PathPattern, text: string): boolean {
  if (path.kind === 'Any') return true;
  if (path.kind === 'Exact') return path.text === text;
  // `*` (OPTIONS *) is no path.
  if (!text.startsWith('/')) return false;
  switch (path.kind) {
    case 'Prefix':
      return path.text === '' || text === path.text || text.startsWith(`${path.text}/`);
    case 'Regex':
      return path.regex.test(text);
    case 'Template': {
      const sent = text.slice(1).split('/');
      return (
        sent.length === path.segments.length &&
        path.segments.every((segment, i) =>
          typeof segment === 'string' ? segment === sent[i] : sent[i] !== '',
        )
      );
    }
  }
}

function valueFailure(
  condition: 'header' | 'query',
  wish: ValueCondition,
  value: string | undefined,
): FailedCondition | undefined {
  const { name, key } = wish;
  if (value !== undefined && wish.test(value)) return undefined;
  const [, type, asked = ''] = JSON.parse(key) as [string, ValueMatch['type'], string?];
  const wanted = condition === 'header' && type !== 'Regex' ? fromFieldValue(asked) : asked;
  const expected = { Exact: wanted, Prefix: `${wanted}…`, Regex: `/${wanted}/`, Present: 'any value' }[type];
  return { condition, name, expected, ...(value === undefined && { absent: true }) };
}

/** Of a wrong host only what stands for this very path is of interest, of a wrong path what begins alike. */
function isNear({ condition }: FailedCondition, { path }: Rule, request: MatchRequest): boolean {
  const text = pathText(request.path);
  switch (condition) {
    case 'host':
      return path.kind !== 'Any' && path.text !== '' && pathHolds(path, text);
    case 'path':
      return firstSegment(path) !== '' && firstSegment(path) === text.split('/', 2)[1];
    default:
      return true;
  }
}

function firstSegment(path: PathPattern): string {
  if (path.kind === 'Any') return '';
  const text = path.kind === 'Regex' ? (path.skeleton[0] ?? '') : path.text;
  return text.split('/', 2)[1] ?? '';
}
