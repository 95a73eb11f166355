import { comparePairs } from '../../routing/precedence.ts';
import type { Pair } from '../../routing/precedence.ts';
import { compileRules, RouteError } from '../../routing/rule.ts';
import type { Rule } from '../../routing/rule.ts';
import type { Entry, RouteSnapshot } from '../../snapshot/model.ts';

/** Every (hostname, match) pair of the routes among `entries`, in the order in which they are asked. */
export function rankRoutes(entries: Iterable<Entry>): readonly Pair<RouteSnapshot>[] {
  const pairs: Pair<RouteSnapshot>[] = [];
  for (const { key, json } of entries) {
    if (!key.startsWith('Route/')) continue;
    const route = JSON.parse(json) as RouteSnapshot;
    const hostnames = route.hostnames.length === 0 ? [''] : route.hostnames;
    for (const rule of rulesOf(route)) {
      for (const hostname of hostnames) pairs.push({ hostname, rule });
    }
  }
  return pairs.sort(comparePairs);
}

/** A route that workers would refuse has no place in the order. */
function rulesOf(route: RouteSnapshot): readonly Rule<RouteSnapshot>[] {
  try {
    return compileRules(route, route);
  } catch (error) {
    if (error instanceof RouteError) return [];
    throw error;
  }
}
