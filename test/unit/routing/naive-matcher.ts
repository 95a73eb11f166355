import { parse } from 'node:querystring';
import type { Pair } from '../../../src/routing/precedence.ts';
import type { MatchRequest } from '../../../src/routing/rule.ts';
import type { MatchSnapshot, PathMatch, RouteSnapshot, ValueMatch } from '../../../src/snapshot/model.ts';

type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'matched'; readonly route: string; readonly matchIndex: number }
  | { readonly kind: 'method-not-allowed'; readonly allow: readonly string[] };

/** The routing rules as plainly as they can be said: asks every pair in order. An oracle for the table. */
export function naiveMatch(
  pairs: readonly Pair[],
  routes: readonly RouteSnapshot[],
  request: MatchRequest,
): Answer {
  const allow = new Set<string>();
  for (const { hostname, rule } of pairs) {
    const owner = routes.find(({ name }) => name === rule.route) as RouteSnapshot;
    const match = owner.matches[rule.matchIndex] as MatchSnapshot;
    if (owner.listeners && request.listener !== undefined && !owner.listeners.includes(request.listener))
      continue;
    if (!hostHolds(hostname, request.host)) continue;
    if (match.path && !pathHolds(match.path, request.path)) continue;
    if (!match.headers.every((condition) => valueHolds(condition, headerOf(request, condition.name))))
      continue;
    if (!match.query.every((condition) => valueHolds(condition, parameterOf(request, condition.name))))
      continue;
    if (match.methods.length === 0 || match.methods.includes(request.method)) {
      return { kind: 'matched', route: rule.route, matchIndex: rule.matchIndex };
    }
    for (const method of match.methods) allow.add(method);
  }
  return allow.size === 0 ? { kind: 'none' } : { kind: 'method-not-allowed', allow: [...allow].sort() };
}

function hostHolds(hostname: string, host: string): boolean {
  return (
    hostname === '' || hostname === host || (hostname.startsWith('*.') && host.endsWith(hostname.slice(1)))
  );
}

function pathHolds({ type, value }: PathMatch, sent: string): boolean {
  const path = sent.replaceAll('%2B', '+');
  if (type === 'Exact') return path === value;
  if (!path.startsWith('/')) return false;
  if (type === 'Regex') return new RegExp(`^(?:${value})$`).test(path);
  if (type === 'Prefix') {
    const bare = value.replace(/\/$/, '');
    return path === bare || path.startsWith(`${bare}/`);
  }
  const parts = value.split('/');
  const given = path.split('/');
  return (
    parts.length === given.length &&
    parts.every((part, i) => (part.startsWith('{') ? given[i] !== '' : part === given[i]))
  );
}

function valueHolds({ type, value }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return false;
  switch (type) {
    case 'Present':
      return true;
    case 'Exact':
      return given === value;
    case 'Prefix':
      return given.startsWith(value);
    case 'Regex':
      return new RegExp(`^(?:${value})$`).test(given);
  }
}

function headerOf({ headers }: MatchRequest, name: string): string | undefined {
  const values = headers.raw.filter((_, i) => i % 2 === 1 && headers.raw[i - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(',');
}

function parameterOf({ query }: MatchRequest, name: string): string | undefined {
  const value = parse(query)[name];
  return Array.isArray(value) ? value[0] : value;
}
