import { HeaderList } from '../../../src/routing/header-list.ts';
import type { MatchRequest } from '../../../src/routing/rule.ts';
import type { MatchSnapshot, PathMatch, RouteSnapshot } from '../../../src/snapshot/model.ts';

/** A route with one match for each given path or match, everything else at its default. */
export function route(
  name: string,
  matches: readonly (PathMatch | Partial<MatchSnapshot>)[],
  fields: Partial<RouteSnapshot> = {},
): RouteSnapshot {
  return {
    name: `default/${name}`,
    priority: 0,
    hostnames: [],
    matches: matches.map((match) => ({
      methods: [],
      headers: [],
      query: [],
      ...('type' in match ? { path: match } : match),
    })),
    middlewares: [],
    upstreams: [],
    hostHeader: 'Preserve',
    timeouts: { requestMs: 0, attemptMs: 0, idleMs: 0 },
    drainMs: 0,
    ...fields,
  };
}

export const exact = (value: string): PathMatch => ({ type: 'Exact', value });
export const prefix = (value: string): PathMatch => ({ type: 'Prefix', value });
export const template = (value: string): PathMatch => ({ type: 'Template', value });
export const regex = (value: string): PathMatch => ({ type: 'Regex', value });

/** A GET of `path` (with `?query`) at `host`. */
export function request(
  target: string,
  fields: Partial<Omit<MatchRequest, 'headers'>> & { readonly headers?: readonly string[] } = {},
): MatchRequest {
  const [path = '', query = ''] = target.split('?', 2);
  return {
    host: 'a.test',
    path,
    query,
    method: 'GET',
    ...fields,
    headers: new HeaderList([...(fields.headers ?? [])]),
  };
}
