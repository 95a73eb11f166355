import type { Pipeline } from '../../middleware/pipeline.ts';
import type { RouteSnapshot } from '../../snapshot/model.ts';
import type { RouteSeries } from '../../telemetry/series.ts';
import type { WeightedSplit } from './weighted-split.ts';

/** All that a matched request needs of its route, bound when the table is built. */
export interface RouteTarget {
  readonly key: string;
  /** Entry.hash of the route it was built from. */
  readonly hash: string;
  /** `namespace/name` */
  readonly name: string;
  readonly snapshot: RouteSnapshot;
  /** Gateway-wide middlewares, then the route's own. */
  readonly pipeline: Pipeline;
  readonly split: WeightedSplit;
  readonly series: RouteSeries;
  /** A middleware that its author wrote down cannot run: nothing is served (G5). */
  readonly unsecured: boolean;
  /** Number of the generation that it was made for. */
  readonly since: number;
}
