/**
 * What a worker counts, as seen by the request path: series are bound when the table is built, so that a request only
 * adds to numbers in shared memory. Main reads the slabs at scrape (docs/architecture.md).
 */
export interface WorkerMetrics {
  /** Bound once per route and table; `release` when the table that bound it last is gone. Same label, same series. */
  route(route: string): RouteSeries;
  upstream(upstream: string): UpstreamSeries;
  endpoint(upstream: string, endpoint: string): EndpointSeries;
  listener(listener: string): ConnectionGauge;
  rejected(route: string, middleware: string, reason: string): void;
}

export interface RouteSeries {
  /** requests_in_flight +1 */
  begin(): void;
  /** requests_total +1, request_duration_seconds, requests_in_flight -1. `code` 0: no answer was sent. */
  end(method: string, code: number, seconds: number): void;
  release(): void;
}

export interface UpstreamSeries {
  /** upstream_request_duration_seconds */
  observe(seconds: number): void;
  /** upstream_retries_total +1 */
  retried(reason: string): void;
  release(): void;
}

export interface EndpointSeries {
  /** upstream_requests_total +1; `code` 0: no answer. */
  answered(code: number): void;
  release(): void;
}

export interface ConnectionGauge {
  opened(): void;
  closed(): void;
  /** connections_refused_total +1 */
  refused(): void;
  release(): void;
}
