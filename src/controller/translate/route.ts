import type {
  MatchSnapshot,
  PathMatch,
  RouteSnapshot,
  UpstreamShare,
  ValueMatch,
} from '../../snapshot/model.ts';
import { parseDuration } from '../../snapshot/units.ts';
import type { RouteResource } from '../../resources/generated.ts';

type MatchResource = RouteResource['spec']['matches'][number];
type ValueCondition = MatchResource['headers'][number];

/** A route as it is served, given what became of its middlewares and upstreams. */
export function routeSnapshot(options: {
  readonly name: string;
  readonly resource: RouteResource;
  readonly middlewares: readonly string[];
  /** Places of those that may refuse a request. */
  readonly guards?: readonly number[];
  readonly upstreams: readonly UpstreamShare[];
  readonly unsecured?: string;
}): RouteSnapshot {
  const { name, resource, middlewares, guards = [], upstreams, unsecured } = options;
  const { spec } = resource;
  return {
    name,
    priority: spec.priority,
    ...(spec.listeners !== undefined && { listeners: spec.listeners }),
    hostnames: spec.hostnames.map((hostname) => hostname.toLowerCase()),
    matches: (spec.matches.length === 0 ? [anything] : spec.matches).map(matchSnapshot),
    middlewares,
    ...(guards.length > 0 && { guards }),
    upstreams,
    ...(unsecured !== undefined && { unsecured }),
    hostHeader: spec.hostHeader,
    timeouts: {
      requestMs: parseDuration(spec.timeouts.request),
      attemptMs: parseDuration(spec.timeouts.attempt),
      idleMs: parseDuration(spec.timeouts.idle),
      // Few routes serve WebSockets, and every worker keeps this of every route.
      ...(spec.timeouts.webSocket !== '1h' && { webSocketMs: parseDuration(spec.timeouts.webSocket) }),
    },
    drainMs: parseDuration(spec.drain),
  };
}

const anything: MatchResource = { methods: [], headers: [], query: [] };

function matchSnapshot({ path, methods, headers, query }: MatchResource): MatchSnapshot {
  return {
    ...(path !== undefined && { path: pathMatch(path) }),
    methods: [...new Set(methods)],
    headers: headers.map((condition) => valueMatch(condition, condition.name.toLowerCase())),
    query: query.map((condition) => valueMatch(condition, condition.name)),
  };
}

function pathMatch(path: NonNullable<MatchResource['path']>): PathMatch {
  if (path.exact !== undefined) return { type: 'Exact', value: path.exact };
  if (path.prefix !== undefined) return { type: 'Prefix', value: path.prefix };
  if (path.template !== undefined) return { type: 'Template', value: path.template };
  return { type: 'Regex', value: path.regex ?? '' };
}

function valueMatch(condition: ValueCondition, name: string): ValueMatch {
  if (condition.exact !== undefined) return { name, type: 'Exact', value: condition.exact };
  if (condition.prefix !== undefined) return { name, type: 'Prefix', value: condition.prefix };
  if (condition.regex !== undefined) return { name, type: 'Regex', value: condition.regex };
  return { name, type: 'Present', value: '' };
}
