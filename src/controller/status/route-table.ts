import type { Entry, MatchSnapshot, RouteSnapshot } from '../../snapshot/model.ts';
import type { Stored } from '../store/store.ts';
import { rankRoutes } from '../translate/rank-routes.ts';

/** One (hostname, match) pair of a route: rows stand in the order in which they are asked. */
export interface RouteRow {
  /** `namespace/name` */
  readonly route: string;
  readonly priority: number;
  /** Empty: any. */
  readonly hostname: string;
  readonly match: string;
  /** Absent: all. */
  readonly listeners?: readonly string[];
  readonly middlewares: readonly string[];
  readonly upstreams: readonly string[];
  readonly at: string;
  /** Why it answers 503 to everything. */
  readonly unsecured?: string;
}

/** What is served, as a table in order of precedence. */
export function routeTable(
  entries: ReadonlyMap<string, Entry>,
  find: (key: string) => Stored | undefined,
): readonly RouteRow[] {
  return rankRoutes(entries.values()).flatMap(({ hostname, rule }) => {
    const route = rule.matched.target;
    const match = route.matches[rule.matchIndex];
    const stored = find(`Route/${route.name}`);
    const at = stored?.accepted?.at ?? stored?.at ?? '';
    return match === undefined ? [] : [rowOf(route, hostname, match, at)];
  });
}

function rowOf(route: RouteSnapshot, hostname: string, match: MatchSnapshot, at: string): RouteRow {
  const { listeners, unsecured } = route;
  const all = route.upstreams.reduce((sum, { weight }) => sum + weight, 0);
  return {
    route: route.name,
    priority: route.priority,
    hostname,
    match: matchText(match),
    ...(listeners !== undefined && { listeners }),
    middlewares: route.middlewares.map((key) => key.slice('Middleware/'.length)),
    upstreams: route.upstreams.map(({ key, weight }) => {
      const name = key === null ? '(missing: 503)' : key.slice('Upstream/'.length);
      return route.upstreams.length === 1 ? name : `${name} ${weight}/${all}`;
    }),
    at,
    ...(unsecured !== undefined && { unsecured }),
  };
}

/** `GET,POST prefix /users header x-env=canary query v=2` */
export function matchText({ path, methods, headers, query }: MatchSnapshot): string {
  const words: string[] = [];
  if (methods.length > 0) words.push(methods.join(','));
  words.push(path === undefined ? 'any path' : `${path.type.toLowerCase()} ${path.value}`);
  const conditions = [
    ...headers.map((each) => ['header', each] as const),
    ...query.map((each) => ['query', each] as const),
  ];
  for (const [kind, { name, type, value }] of conditions) {
    const operator = { Exact: '=', Prefix: '^=', Regex: '~', Present: '' }[type];
    words.push(`${kind} ${name}${operator}${value}`);
  }
  return words.join(' ');
}
