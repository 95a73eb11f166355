import { findConflicts } from '../routing/conflicts.ts';
import type { Pair } from '../routing/precedence.ts';
import type { RouteSnapshot } from '../snapshot/model.ts';

/** A match that can never, or never alone, get a request, and could before or was not there. */
export interface NewConflict {
  /** `Shadowed`: `by` takes every request before. `Same`: nothing but the names tells the two apart. */
  readonly kind: 'Shadowed' | 'Same';
  /** `namespace/name` */
  readonly route: string;
  readonly matchIndex: number;
  /** '': any host. */
  readonly hostname: string;
  readonly by: { readonly route: string; readonly matchIndex: number };
}

/** Pairs in the order of precedence. A match is known by what it says, wherever in its route it stands. */
export function newConflicts(
  from: readonly Pair<RouteSnapshot>[],
  to: readonly Pair<RouteSnapshot>[],
): readonly NewConflict[] {
  const known = new Set(conflictsOf(from).map(({ identity }) => identity));
  return conflictsOf(to).flatMap(({ identity, conflict }) => (known.has(identity) ? [] : [conflict]));
}

function conflictsOf(
  pairs: readonly Pair<RouteSnapshot>[],
): readonly { readonly identity: string; readonly conflict: NewConflict }[] {
  const routes = new Map(pairs.map(({ rule }) => [rule.route, rule.matched.target] as const));
  return findConflicts(pairs).map((conflict) => {
    const { kind, hostname, route, matchIndex } = conflict;
    const match = routes.get(route)?.matches[matchIndex];
    return { identity: JSON.stringify([kind, hostname, route, match]), conflict };
  });
}
