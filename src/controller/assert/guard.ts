import type { GuardResource } from '../../resources/generated.ts';
import { canMatchUnder, hostnamesMeet } from '../../routing/can-match.ts';
import { compilePathPattern } from '../../routing/path-pattern.ts';
import type { PathPattern } from '../../routing/path-pattern.ts';
import type { RouteSnapshot } from '../../snapshot/model.ts';
import type { Document } from '../store/document.ts';

/** What a route lacks. */
export interface Violation {
  /** `namespace/name` of the Guard. */
  readonly guard: string;
  readonly message: string;
  /** Field of the Route that it is about. */
  readonly path: string;
}

/** A Guard, compiled. */
export interface Guard {
  /** `namespace/name` */
  readonly name: string;
  readonly hash: string;
  /** `types`: of the middlewares that its requests pass, Gateway-wide ones included. */
  violationOf(route: RouteSnapshot, types: ReadonlySet<string>): Violation | undefined;
}

export function compileGuard(namespace: string, name: string, document: Document): Guard {
  const { spec } = document.resource as GuardResource;
  const selects = compileSelection(namespace, spec.routes);
  const full = `${namespace}/${name}`;
  return {
    name: full,
    hash: `${document.hash}@${document.at}`,
    violationOf(route, types) {
      const unmet = selects(route) ? unmetOf(spec.require, route, types) : undefined;
      if (unmet === undefined) return undefined;
      const message = `${unmet.message}, as Guard ${full} (${document.at}) requires`;
      return { guard: full, message, path: unmet.path };
    },
  };
}

function compileSelection(
  namespace: string,
  { pathPrefix, hostnames, names, namespaces }: GuardResource['spec']['routes'],
): (route: RouteSnapshot) => boolean {
  const under =
    pathPrefix === undefined
      ? undefined
      : (compilePathPattern({ type: 'Prefix', value: pathPrefix }) as Extract<
          PathPattern,
          { readonly kind: 'Prefix' }
        >);
  const named = names && new Set(names.map((name) => (name.includes('/') ? name : `${namespace}/${name}`)));
  return (route) => {
    if (named?.has(route.name) === false) return false;
    if (namespaces?.includes(route.name.slice(0, route.name.indexOf('/'))) === false) return false;
    if (hostnames !== undefined && route.hostnames.length > 0) {
      if (!hostnames.some((wanted) => route.hostnames.some((own) => hostnamesMeet(wanted, own))))
        return false;
    }
    return (
      under === undefined || route.matches.some(({ path }) => canMatchUnder(compilePathPattern(path), under))
    );
  };
}

function unmetOf(
  { middleware, timeout, noWildcardHost }: GuardResource['spec']['require'],
  { hostnames, timeouts }: RouteSnapshot,
  types: ReadonlySet<string>,
): { readonly message: string; readonly path: string } | undefined {
  if (middleware !== undefined && !types.has(middleware))
    return { message: `has no ${middleware} middleware`, path: 'spec.middlewares' };
  if (timeout === true && timeouts.requestMs === 0 && timeouts.attemptMs === 0)
    return { message: 'has no timeout', path: 'spec.timeouts' };
  if (noWildcardHost !== true) return undefined;
  if (hostnames.length === 0) return { message: 'matches any host', path: 'spec' };
  const wildcard = hostnames.findIndex((hostname) => hostname.startsWith('*.'));
  if (wildcard < 0) return undefined;
  return { message: `matches ${hostnames[wildcard]}`, path: `spec.hostnames[${wildcard}]` };
}
