import { shadowDropReasons, shadowResults } from '../snapshot/shadow-messages.ts';
import type { ShadowCounts } from '../snapshot/shadow-messages.ts';
import type { MetricName } from './catalog.ts';

/** As prom-client has it. */
interface Counter {
  inc(labels: Readonly<Record<string, string>>, count: number): void;
  remove(labels: Readonly<Record<string, string>>): void;
}

/** Adds to the counters of the shadow what its thread tells. Its numbers begin anew when it does; counters do not. */
export function createShadowMetrics(counter: (name: MetricName) => Counter): (counts: ShadowCounts) => void {
  const compared = counter('shadow_requests_total');
  const changed = counter('shadow_changes_total');
  const lost = counter('shadow_dropped_total');
  /** Route → kinds of changes that it has a series of. */
  const kinds = new Map<string, Set<string>>();
  let begun = false;

  const forget = (route: string): void => {
    for (const result of shadowResults) compared.remove({ route, result });
    for (const change of kinds.get(route) ?? []) changed.remove({ route, change });
    kinds.delete(route);
  };

  return ({ requests, changes, dropped, gone }) => {
    // A rate over a series that appears with its first event would miss it.
    if (!begun) for (const reason of shadowDropReasons) lost.inc({ reason }, 0);
    begun = true;
    for (const { route, result, count } of requests) compared.inc({ route, result }, count);
    for (const { route, change, count } of changes) {
      changed.inc({ route, change }, count);
      const known = kinds.get(route);
      if (known === undefined) kinds.set(route, new Set([change]));
      else known.add(change);
    }
    for (const { reason, count } of dropped) lost.inc({ reason }, count);
    for (const route of gone) forget(route);
  };
}
