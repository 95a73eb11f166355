/**
 * Every metric of ours, by its name without the `mgateway_` prefix: the one place for types, labels and help texts.
 * docs/metrics.md explains each; a test holds the two together. Seconds and bytes; labels never carry what a client sent.
 */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Who counts: workers in their slabs (series.ts), or the main thread. */
  readonly home: 'worker' | 'main';
}

export const metricPrefix = 'mgateway_';

export const catalog = {
  requests_total: {
    type: 'counter',
    labels: ['route', 'method', 'code'],
    help: 'Requests answered, by route, method and status code; code 0: no answer was sent.',
    home: 'worker',
  },
  request_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'Time from the request head to the end of the answer.',
    home: 'worker',
  },
  requests_in_flight: {
    type: 'gauge',
    labels: ['route'],
    help: 'Requests that are being served.',
    home: 'worker',
  },
  upstream_requests_total: {
    type: 'counter',
    labels: ['upstream', 'endpoint', 'code'],
    help: 'Attempts sent to endpoints, by the status code of their answer; code 0: no answer came.',
    home: 'worker',
  },
  upstream_request_duration_seconds: {
    type: 'histogram',
    labels: ['upstream'],
    help: 'Time from an attempt being sent to the end of its answer.',
    home: 'worker',
  },
  upstream_retries_total: {
    type: 'counter',
    labels: ['upstream', 'reason'],
    help: 'Attempts made again, by the reason.',
    home: 'worker',
  },
  middleware_rejections_total: {
    type: 'counter',
    labels: ['route', 'middleware', 'reason'],
    help: 'Requests that a middleware answered itself.',
    home: 'worker',
  },
  open_connections: {
    type: 'gauge',
    labels: ['listener'],
    help: 'Open client connections.',
    home: 'worker',
  },
  connections_refused_total: {
    type: 'counter',
    labels: ['listener'],
    help: 'Client connections closed unheard because limits.connections was reached.',
    home: 'worker',
  },
  worker_loop_delay_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Longest delay of the event loop of a worker within the last 15 seconds.',
    home: 'worker',
  },
  upstream_endpoint_healthy: {
    type: 'gauge',
    labels: ['upstream', 'endpoint'],
    help: 'Verdict of the health check: 1 healthy, 0 not. Only for upstreams with a health check.',
    home: 'main',
  },
  rate_limit_keys: {
    type: 'gauge',
    labels: ['limiter'],
    help: 'Keys that a rate limiter keeps.',
    home: 'main',
  },
  rate_limit_evictions_total: {
    type: 'counter',
    labels: [],
    help: 'Keys that rate limiters gave up to make room before their bucket was full again.',
    home: 'main',
  },
  config_reloads_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Reconciliations of the configuration by result: applied, unchanged, partial, refused.',
    home: 'main',
  },
  config_last_reload_successful: {
    type: 'gauge',
    labels: [],
    help: '1 if everything in the configuration as last read is accepted and served, else 0.',
    home: 'main',
  },
  config_last_reload_success_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the configuration was last read and found wholly good, in Unix seconds.',
    home: 'main',
  },
  config_reload_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: 'Time of a reconciliation from reading the files to the decision.',
    home: 'main',
  },
  config_generation: {
    type: 'gauge',
    labels: [],
    help: 'Number of the generation being served.',
    home: 'main',
  },
  config_pinned: {
    type: 'gauge',
    labels: [],
    help: '1 while an older generation is pinned and the configuration as read is not served, else 0.',
    home: 'main',
  },
  config_state_failing: {
    type: 'gauge',
    labels: [],
    help: '1 while a file of the state directory cannot be read or written, else 0.',
    home: 'main',
  },
  config_info: {
    type: 'gauge',
    labels: ['source_hash', 'served_hash'],
    help: 'Hash of the configuration as read, and of the one being served; always 1.',
    home: 'main',
  },
  config_resources: {
    type: 'gauge',
    labels: ['kind', 'state'],
    help: 'Resources by kind and state: accepted, refused, fallback, failed.',
    home: 'main',
  },
  shadow_requests_total: {
    type: 'counter',
    labels: ['route', 'result'],
    help: 'Live requests decided by the shadow configuration too, by the route that served them: same, changed, uncertain.',
    home: 'main',
  },
  shadow_changes_total: {
    type: 'counter',
    labels: ['route', 'change'],
    help: 'What the shadow configuration would change: listener, route, status, upstream, url, headers, middleware.',
    home: 'main',
  },
  shadow_dropped_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Live requests that were not compared, by the reason: behind, candidate, generation, failed.',
    home: 'main',
  },
  worker_restarts_total: {
    type: 'counter',
    labels: [],
    help: 'Workers replaced because they died or were stuck.',
    home: 'main',
  },
  log_dropped_total: {
    type: 'counter',
    labels: ['log'],
    help: 'Lines lost because the reader of the log was too slow, by log: runtime, access.',
    home: 'main',
  },
  build_info: {
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Version of the gateway and of Node.js; always 1.',
    home: 'main',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof catalog;

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(catalog, name);
}
