import type { RouteSeries } from '../../telemetry/series.ts';
import type { Pipeline } from '../../middleware/pipeline.ts';
import type { RouteDefinition, RouteTarget } from '../proxy/route-target.ts';
import type { WeightedSplit } from '../proxy/weighted-split.ts';
import type { Release } from './releases.ts';

/** A route of a table and, as thousands go at once, its own release: no closure for each. */
export class BoundTarget implements RouteTarget, Release {
  readonly name: string;
  readonly snapshot: RouteDefinition;
  readonly pipeline: Pipeline;
  readonly split: WeightedSplit;
  readonly series: RouteSeries;
  readonly unsecured: boolean;
  readonly since: number;

  constructor(parts: RouteTarget) {
    this.name = parts.name;
    this.snapshot = parts.snapshot;
    this.pipeline = parts.pipeline;
    this.split = parts.split;
    this.series = parts.series;
    this.unsecured = parts.unsecured;
    this.since = parts.since;
  }

  /** Of its entry. */
  get key(): string {
    return `Route/${this.name}`;
  }

  run(): void {
    this.series.release();
  }
}
