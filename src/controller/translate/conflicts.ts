import { findConflicts } from '../../routing/conflicts.ts';
import { findContradiction } from '../../routing/contradictions.ts';
import type { Problem } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { Stored } from '../store/store.ts';
import { rankRoutes } from './rank-routes.ts';

/**
 * Routes that hardly do what was meant: matches that can never be reached, and pairs that only their names tell apart.
 * Compiles all routes (a tenth of a second for 10,000): not for the way to the commit.
 */
export function conflictWarnings(
  entries: ReadonlyMap<string, Entry>,
  find: (key: string) => Stored | undefined,
): readonly Problem[] {
  const warnings: Problem[] = [];
  const said = new Set<string>();
  const pairs = rankRoutes(entries.values());
  for (const { rule } of pairs) {
    const contradiction = findContradiction(rule);
    if (contradiction === undefined || said.has(`${rule.route} ${rule.matchIndex}`)) continue;
    said.add(`${rule.route} ${rule.matchIndex}`);
    const { condition, name } = contradiction;
    const stored = find(`Route/${rule.route}`);
    const path = `spec.matches[${rule.matchIndex}].${condition === 'header' ? 'headers' : 'query'}`;
    warnings.push({
      at: stored?.accepted?.locate(path) ?? stored?.at ?? rule.route,
      path,
      message: `can never match: what is asked of ${condition} ${name} contradicts itself`,
      hint: 'conditions of one match must all hold; write alternatives as further matches',
    });
    if (warnings.length >= maxWarnings) return warnings;
  }
  for (const { kind, hostname, route, matchIndex, by } of findConflicts(pairs)) {
    const pair = `${kind} ${route} ${matchIndex} ${by.route} ${by.matchIndex}`;
    // Once for a match, not for each of its hostnames.
    if (said.has(pair)) continue;
    said.add(pair);
    const stored = find(`Route/${route}`);
    const path = `spec.matches[${matchIndex}]`;
    const other = find(`Route/${by.route}`)?.accepted?.locate(`spec.matches[${by.matchIndex}]`) ?? '';
    const host = hostname === '' ? '' : ` for ${hostname}`;
    warnings.push({
      at: stored?.accepted?.locate(path) ?? stored?.at ?? route,
      path,
      message:
        kind === 'Same'
          ? `cannot be told apart${host} from a match of Route ${by.route} (${other}), which is asked first`
          : `can never be reached${host}: Route ${by.route} (${other}) takes every request before`,
      hint: 'set spec.priority, or a condition in which they differ',
    });
    if (warnings.length >= maxWarnings) break;
  }
  return warnings;
}

/** Each needs places, and these are found by reading the document again. */
const maxWarnings = 1000;
