import { CommonValues } from '../../routing/common-values.ts';
import type { RouteSnapshot, UpstreamShare } from '../../snapshot/model.ts';
import { WeightedSplit } from '../proxy/weighted-split.ts';
import type { Share } from '../proxy/weighted-split.ts';
import type { BuiltMiddleware } from './built-middleware.ts';

/**
 * What many routes say alike is kept once: with thousands of them that is a third of what each would take. It knows the
 * routes of one preparation; those that rest from earlier ones keep what they have.
 */
export class CommonParts {
  private readonly middlewares: ReadonlyMap<string, BuiltMiddleware>;
  private readonly upstreams = new CommonValues<readonly UpstreamShare[]>();
  private readonly timeouts = new CommonValues<RouteSnapshot['timeouts']>();
  private readonly splits = new Map<Share['upstream'], WeightedSplit>();

  constructor(middlewares: ReadonlyMap<string, BuiltMiddleware>) {
    this.middlewares = middlewares;
  }

  /** The same route, sharing its parts with those that came before. */
  shared(route: RouteSnapshot): RouteSnapshot {
    return {
      ...route,
      middlewares: route.middlewares.map((key) => this.middlewares.get(key)?.key ?? key),
      upstreams: this.upstreams.of(route.upstreams),
      timeouts: this.timeouts.of(route.timeouts),
    };
  }

  /** A split of which there is only one share has no place to keep: it may serve several routes. */
  split(shares: readonly Share[], previous: WeightedSplit | undefined): WeightedSplit {
    const [only, ...others] = shares;
    if (only === undefined || others.length > 0 || only.weight === 0)
      return new WeightedSplit(shares, previous);
    const known = this.splits.get(only.upstream);
    if (known !== undefined) return known;
    const split = new WeightedSplit([{ upstream: only.upstream, weight: 1 }]);
    this.splits.set(only.upstream, split);
    return split;
  }
}
