import type { Problem } from '../../snapshot/messages.ts';
import type { Stored } from '../store/store.ts';
import type { RouteSet } from './translation.ts';

/**
 * Routes that match the same requests by the same conditions: only the priority decides between them (the other can never
 * match by it), or only the name. Reported at the one that loses.
 */
export function findConflicts(
  routes: ReadonlyMap<string, RouteSet>,
  find: (key: string) => Stored | undefined,
): readonly Problem[] {
  const winners = new Map<string, string>();
  const lost = new Map<string, string>();
  const ordered = [...routes].sort(([a, x], [b, y]) => y.priority - x.priority || (a < b ? -1 : 1));
  for (const [key, { signatures }] of ordered) {
    for (const signature of signatures) {
      const winner = winners.get(signature);
      if (winner === undefined) winners.set(signature, key);
      else if (winner !== key && !lost.has(key)) lost.set(key, winner);
    }
  }
  const problems: Problem[] = [];
  for (const [key, winner] of lost) {
    const stored = find(key);
    const other = find(winner);
    const samePriority = routes.get(key)?.priority === routes.get(winner)?.priority;
    const name = winner.slice('Route/'.length);
    problems.push({
      at: stored?.accepted?.locate('spec.matches') ?? stored?.at ?? key,
      path: 'spec.matches',
      message: samePriority
        ? `cannot be told apart from Route ${name} (${other?.at ?? ''}), which wins by its name`
        : `can never match: Route ${name} (${other?.at ?? ''}) has the same conditions and a higher priority`,
      hint: 'set spec.priority, or a condition in which they differ',
    });
  }
  return problems;
}
