import type { UpstreamSnapshot } from '../../snapshot/model.ts';
import type { UpstreamSeries } from '../../telemetry/series.ts';
import type { Balancer } from './balancer.ts';
import { createBalancer } from './create-balancer.ts';
import type { Endpoint } from './endpoint.ts';

const isHealthy = (endpoint: Endpoint): boolean => endpoint.healthy;

/** A named set of endpoints and how one is chosen. Unchanged definitions keep the object, and so the balancer's place. */
export class Upstream {
  readonly key: string;
  /** Entry.hash of the definition it was built from. */
  readonly hash: string;
  readonly snapshot: UpstreamSnapshot;
  /** In the order of the snapshot's. */
  readonly endpoints: readonly Endpoint[];
  readonly series: UpstreamSeries;
  /** Number of the generation that it was made for. */
  readonly since: number;
  readonly #balancer: Balancer;

  constructor(options: {
    readonly key: string;
    readonly hash: string;
    readonly snapshot: UpstreamSnapshot;
    readonly endpoints: readonly Endpoint[];
    readonly series: UpstreamSeries;
    readonly since: number;
    readonly random: () => number;
  }) {
    this.key = options.key;
    this.hash = options.hash;
    this.snapshot = options.snapshot;
    this.endpoints = options.endpoints;
    this.series = options.series;
    this.since = options.since;
    const choices = options.endpoints.map((endpoint, i) => ({
      endpoint,
      weight: options.snapshot.endpoints[i]?.weight ?? 0,
    }));
    this.#balancer = createBalancer(options.snapshot.strategy, choices, options.random);
  }

  /** The next endpoint among the healthy ones; undefined when none is (fails closed: a dead backend gets nothing). */
  pick(): Endpoint | undefined {
    return this.#balancer.pick(isHealthy);
  }

  /** The same, but not one that was already tried in this exchange. */
  pickOther(tried: readonly Endpoint[]): Endpoint | undefined {
    return this.#balancer.pick((endpoint) => endpoint.healthy && !tried.includes(endpoint));
  }
}
