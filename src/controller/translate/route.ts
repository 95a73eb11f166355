import type {
  MatchSnapshot,
  PathMatch,
  RouteSnapshot,
  UpstreamShare,
  ValueMatch,
} from '../../snapshot/model.ts';
import { parseDuration } from '../../snapshot/units.ts';
import { shortHash, stableJson } from './entry.ts';
import type { RouteResource } from '../../resources/generated.ts';

type MatchResource = RouteResource['spec']['matches'][number];
type ValueCondition = MatchResource['headers'][number];

/** A route as it is served, given what became of its middlewares and upstreams. */
export function routeSnapshot(options: {
  readonly name: string;
  readonly resource: RouteResource;
  readonly middlewares: readonly string[];
  readonly upstreams: readonly UpstreamShare[];
  readonly unsecured?: string;
}): RouteSnapshot {
  const { name, resource, middlewares, upstreams, unsecured } = options;
  const { spec } = resource;
  return {
    name,
    priority: spec.priority,
    ...(spec.listeners !== undefined && { listeners: spec.listeners }),
    hostnames: spec.hostnames.map((hostname) => hostname.toLowerCase()),
    matches: (spec.matches.length === 0 ? [anything] : spec.matches).map(matchSnapshot),
    middlewares,
    upstreams,
    ...(unsecured !== undefined && { unsecured }),
    hostHeader: spec.hostHeader,
    timeouts: {
      requestMs: parseDuration(spec.timeouts.request),
      attemptMs: parseDuration(spec.timeouts.attempt),
      idleMs: parseDuration(spec.timeouts.idle),
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

/**
 * One for each (listener, hostname, match, method): two routes that share one match the same requests by it, so that
 * only priority or name decides between them. Written differently but equal in meaning is not found here.
 */
export function routeSignatures(route: RouteSnapshot): readonly string[] {
  const listeners = route.listeners ?? ['*'];
  const hostnames = route.hostnames.length === 0 ? ['*'] : route.hostnames;
  const conditions = route.matches.flatMap(({ path, methods, headers, query }) => {
    const text = stableJson([pathText(path), sorted(headers), sorted(query)]);
    return (methods.length === 0 ? ['*'] : methods).map((method) => `${method} ${text}`);
  });
  const signatures = new Set<string>();
  for (const listener of listeners) {
    for (const hostname of hostnames) {
      for (const condition of conditions) {
        if (signatures.size >= maxSignatures) return [...signatures];
        signatures.add(shortHash(`${listener} ${hostname} ${condition}`));
      }
    }
  }
  return [...signatures];
}

/** A route of 256 hostnames and 256 matches has 65,536; a warning is not worth that much memory. */
const maxSignatures = 256;

/** No path and the prefix `/` are the same; a variable's name does not matter. */
function pathText(path: PathMatch | undefined): string {
  if (path === undefined) return 'Prefix /';
  const value = path.type === 'Template' ? path.value.replace(/\{[^}]*\}/g, '{}') : path.value;
  return `${path.type} ${value}`;
}

function sorted(matches: readonly ValueMatch[]): readonly string[] {
  return matches.map((match) => stableJson(match)).sort();
}
