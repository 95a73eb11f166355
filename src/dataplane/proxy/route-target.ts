import type { Pipeline } from '../../middleware/pipeline.ts';
import type { RouteSnapshot } from '../../snapshot/model.ts';
import type { RouteSeries } from '../../telemetry/series.ts';
import type { WeightedSplit } from './weighted-split.ts';

/** What of a route's definition is still needed once its matches are in the table. */
export type RouteDefinition = Pick<
  RouteSnapshot,
  'name' | 'middlewares' | 'upstreams' | 'hostHeader' | 'timeouts' | 'drainMs'
> & { readonly unsecured: string | undefined; readonly guard: string | undefined };

/** All that a matched request needs of its route, bound when the table is built. */
export interface RouteTarget {
  /** `namespace/name` */
  readonly name: string;
  readonly snapshot: RouteDefinition;
  /** Gateway-wide middlewares, then the route's own. */
  readonly pipeline: Pipeline;
  readonly split: WeightedSplit;
  readonly series: RouteSeries;
  /** A middleware that its author wrote down cannot run: nothing is served (G5). */
  readonly unsecured: boolean;
  /** Number of the generation that it was made for. */
  readonly since: number;
}
