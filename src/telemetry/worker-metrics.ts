import { performance } from 'node:perf_hooks';
import { BoundEndpoint } from './bound-endpoint.ts';
import { BoundListener } from './bound-listener.ts';
import { BoundRoute } from './bound-route.ts';
import { BoundUpstream } from './bound-upstream.ts';
import { otherLabel, SeriesGroup } from './series-group.ts';
import type { GroupRegistry } from './series-group.ts';
import type { MetricMessage } from './series-ledger.ts';
import { SeriesLedger } from './series-ledger.ts';
import type {
  ConnectionGauge,
  EndpointSeries,
  RouteSeries,
  UpstreamSeries,
  WorkerMetrics,
} from './series.ts';

export interface WorkerMetricsOptions {
  readonly workerIndex: number;
  /** Most label sets of each metric in this worker; what comes after counts under `_other`. */
  readonly maxSeries: number;
  /** Sends to main. */
  readonly post: (message: MetricMessage) => void;
  /** Monotonic milliseconds; default: performance.now. */
  readonly now?: () => number;
  /** Runs a task in a later turn; default: setImmediate. */
  readonly defer?: (task: () => void) => void;
}

export interface OpenWorkerMetrics extends WorkerMetrics {
  /** Sets worker_loop_delay_seconds; see loop-delay.ts. */
  loopDelay(seconds: number): void;
  /** Tells main of every series now. */
  flush(): void;
}

/** Label of requests that matched no route. */
const noRoute = '_none';

/**
 * Counters of one worker in shared memory. A label set gets its series at its first use, so that 10,000 idle routes cost
 * nothing; from then on a request only adds to numbers.
 */
export function createWorkerMetrics(options: WorkerMetricsOptions): OpenWorkerMetrics {
  const ledger = new SeriesLedger({
    maxSeries: options.maxSeries,
    post: options.post,
    now: options.now ?? (() => performance.now()),
    defer: options.defer ?? ((task) => void setImmediate(task)),
  });
  const routes = new Map<string, BoundRoute>();
  const upstreams = new Map<string, BoundUpstream>();
  const endpoints = new Map<string, Map<string, BoundEndpoint>>();
  const listeners = new Map<string, BoundListener>();
  const otherRoute = new BoundRoute(new SeriesGroup(ledger, 'uncapped'), otherLabel, undefined);
  const otherUpstream = new BoundUpstream(new SeriesGroup(ledger, 'uncapped'), otherLabel, undefined);
  const otherEndpoint = new BoundEndpoint(
    new SeriesGroup(ledger, 'uncapped'),
    otherLabel,
    otherLabel,
    undefined,
  );
  const loopDelay = new SeriesGroup(ledger, 'uncapped').openAnyway({
    metric: 'worker_loop_delay_seconds',
    labels: { worker: String(options.workerIndex) },
    slots: 1,
  });
  const group = (registry: GroupRegistry, label: string): SeriesGroup =>
    new SeriesGroup(ledger, 'capped', registry, label);

  const route = (label: string): RouteSeries => {
    let bound = routes.get(label);
    if (bound === undefined) {
      bound = new BoundRoute(group(routes, label), label, otherRoute);
      routes.set(label, bound);
    }
    bound.retain();
    return bound;
  };
  // For as long as the worker lives: there are always requests without a route.
  route(noRoute);

  return {
    route,
    upstream(label): UpstreamSeries {
      let bound = upstreams.get(label);
      if (bound === undefined) {
        bound = new BoundUpstream(group(upstreams, label), label, otherUpstream);
        upstreams.set(label, bound);
      }
      bound.retain();
      return bound;
    },
    endpoint(upstream, label): EndpointSeries {
      const known = endpoints.get(upstream) ?? new Map<string, BoundEndpoint>();
      endpoints.set(upstream, known);
      let bound = known.get(label);
      if (bound === undefined) {
        const registry: GroupRegistry = {
          delete(gone) {
            known.delete(gone);
            if (known.size === 0 && endpoints.get(upstream) === known) endpoints.delete(upstream);
          },
        };
        bound = new BoundEndpoint(group(registry, label), upstream, label, otherEndpoint);
        known.set(label, bound);
      }
      bound.retain();
      return bound;
    },
    listener(label): ConnectionGauge {
      let bound = listeners.get(label);
      if (bound === undefined) {
        bound = new BoundListener(group(listeners, label), label);
        listeners.set(label, bound);
      }
      bound.retain();
      return bound;
    },
    rejected(routeLabel, middleware, reason): void {
      (routes.get(routeLabel) ?? otherRoute).rejected(middleware, reason);
    },
    loopDelay(seconds): void {
      loopDelay.values[loopDelay.slot] = seconds;
    },
    flush: () => ledger.flush(),
  };
}
