import { shadowDropReasons, shadowResults } from '../snapshot/shadow-messages.ts';
import type { ShadowCounts, ShadowDropReason, ShadowResult } from '../snapshot/shadow-messages.ts';
import type { Comparison, ShadowChange } from './comparer.ts';
import type { Example, RouteReport, ShadowReport } from './report.ts';
import { RouteLabels } from './route-labels.ts';

/** Of those that change, and of those that do not: a change is never hidden by routes without one. */
const maxRoutes = 1_000;
const maxExamples = 8;

interface RouteCounts extends Record<ShadowResult, number> {
  readonly changes: Map<ShadowChange, number>;
  /** By their combination of changes and their certainty. */
  readonly examples: Map<string, Example>;
}

/** Counts comparisons: for the report since `restart`, for metrics since the last `take`. */
export class Tally {
  readonly #now: () => number;
  readonly #changing = new RouteLabels(maxRoutes);
  readonly #unchanging = new RouteLabels(maxRoutes);
  readonly #routes = new Map<string, RouteCounts>();
  readonly #dropped = new Map<ShadowDropReason, number>();
  readonly #fresh = { requests: new Counts(), changes: new Counts(), dropped: new Counts() };
  #gone: string[] = [];
  #since: number;

  /** `now`: Unix milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** One of both configurations is another one now. */
  restart(): void {
    this.#routes.clear();
    this.#dropped.clear();
    this.#since = this.#now();
  }

  /** Routes that are served no more. */
  forget(routes: readonly string[]): void {
    for (const route of routes) {
      this.#changing.forget(route);
      this.#unchanging.forget(route);
    }
    this.#gone.push(...routes);
  }

  drop(reason: ShadowDropReason, count: number): void {
    if (count === 0) return;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + count);
    this.#fresh.dropped.add(reason, '', count);
  }

  add({ route, result, change }: Comparison): void {
    const isChange = change !== undefined;
    const label =
      isChange || this.#changing.has(route) ? this.#changing.of(route) : this.#unchanging.of(route);
    let counts = this.#routes.get(label);
    if (counts === undefined) {
      counts = { same: 0, changed: 0, uncertain: 0, changes: new Map(), examples: new Map() };
      this.#routes.set(label, counts);
    }
    counts[result] += 1;
    this.#fresh.requests.add(label, result, 1);
    if (!isChange) return;
    for (const kind of change.changes) {
      counts.changes.set(kind, (counts.changes.get(kind) ?? 0) + 1);
      this.#fresh.changes.add(label, kind, 1);
    }
    const key = `${result} ${change.changes.join()}`;
    const { examples } = counts;
    const known = examples.get(key);
    if (known === undefined && examples.size >= maxExamples) return;
    const count = (known?.count ?? 0) + 1;
    const time = Math.floor(this.#now() / 1000);
    // One a second is recent enough.
    if (known?.time === time) examples.set(key, { ...known, count });
    else
      examples.set(key, {
        count,
        changes: change.changes,
        certain: result === 'changed',
        time,
        ...change.describe(),
      });
  }

  /** What was counted since the last time; undefined: nothing. */
  take(): ShadowCounts | undefined {
    const gone = this.#gone;
    this.#gone = [];
    const requests = this.#fresh.requests
      .take()
      .map(([route, result, count]) => ({ route, result: result as ShadowResult, count }));
    const changes = this.#fresh.changes.take().map(([route, change, count]) => ({ route, change, count }));
    const dropped = this.#fresh.dropped
      .take()
      .map(([reason, , count]) => ({ reason: reason as ShadowDropReason, count }));
    const isEmpty = requests.length + changes.length + dropped.length + gone.length === 0;
    return isEmpty ? undefined : { requests, changes, dropped, gone };
  }

  report(): Pick<ShadowReport, 'since' | 'requests' | 'dropped' | 'routes'> {
    const routes = [...this.#routes].map(([route, { changes, examples, ...counts }]): RouteReport => ({
      route,
      ...counts,
      changes: Object.fromEntries(changes),
      examples: [...examples.values()].sort((a, b) => b.count - a.count),
    }));
    const changing = ({ changed, uncertain }: RouteReport): number => changed + uncertain;
    const total = (result: ShadowResult): number => routes.reduce((sum, route) => sum + route[result], 0);
    return {
      since: Math.floor(this.#since / 1000),
      requests: record(shadowResults, total),
      dropped: record(shadowDropReasons, (reason) => this.#dropped.get(reason) ?? 0),
      routes: routes.sort(
        (a, b) => changing(b) - changing(a) || b.same - a.same || (a.route < b.route ? -1 : 1),
      ),
    };
  }
}

/** Numbers by two names. */
class Counts {
  readonly #counts = new Map<string, Map<string, number>>();

  add(first: string, second: string, count: number): void {
    let inner = this.#counts.get(first);
    if (inner === undefined) this.#counts.set(first, (inner = new Map<string, number>()));
    inner.set(second, (inner.get(second) ?? 0) + count);
  }

  take(): readonly (readonly [string, string, number])[] {
    const all = [...this.#counts].flatMap(([first, inner]) =>
      [...inner].map(([second, count]) => [first, second, count] as const),
    );
    this.#counts.clear();
    return all;
  }
}

function record<Name extends string>(
  names: readonly Name[],
  valueOf: (name: Name) => number,
): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Record<Name, number>;
}
