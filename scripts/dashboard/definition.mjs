// What the dashboard shows; how Grafana wants it written is in render.mjs. Every expression is proven against a running
// gateway (test/observability). `WHERE` stands for the gateways chosen, `RATE` for a rate's window.

const requests = 'mgateway_requests_total{WHERE, route=~"$route"}';
const attempts = 'mgateway_upstream_requests_total{WHERE, upstream=~"$upstream"}';
const failed = 'mgateway_requests_total{WHERE, route=~"$route", code=~"5..|0"}';
const durations = 'mgateway_request_duration_seconds_bucket{WHERE, route=~"$route"}';
const attemptDurations = 'mgateway_upstream_request_duration_seconds_bucket{WHERE, upstream=~"$upstream"}';

const quantile = (q, by, series) =>
  `histogram_quantile(${q}, sum by (${[...by, 'le'].join(', ')}) (rate(${series}[RATE])))`;

/** In Grafana's list: label of a series → expression of its values. */
export const variables = [
  { name: 'namespace', metric: 'mgateway_build_info' },
  { name: 'job', metric: 'mgateway_build_info{namespace=~"$namespace"}' },
  { name: 'instance', metric: 'mgateway_build_info{namespace=~"$namespace", job=~"$job"}' },
  { name: 'route', metric: 'mgateway_requests_total{WHERE}' },
  { name: 'upstream', metric: 'mgateway_upstream_requests_total{WHERE}' },
];

/** Vertical lines over all graphs. */
export const annotations = [
  {
    name: 'Configuration changed',
    color: 'blue',
    expr: 'sum(changes(mgateway_config_generation{WHERE}[1m])) > 0',
  },
  {
    name: 'Worker replaced',
    color: 'red',
    expr: 'sum(increase(mgateway_worker_restarts_total{WHERE}[1m])) > 0',
  },
];

/** `series`: legend → expression. `bad`: the value from which a number turns red. Widths add up to 24. */
export const rows = [
  {
    title: 'Overview',
    panels: [
      {
        type: 'stat',
        width: 3,
        title: 'Requests',
        about: 'Requests answered per second, by the routes chosen.',
        unit: 'reqps',
        series: { '': `sum(rate(${requests}[RATE]))` },
      },
      {
        type: 'stat',
        width: 3,
        title: 'Errors',
        about: 'Answers with a 5xx status and requests without any answer.',
        unit: 'percentunit',
        bad: 0.05,
        series: { '': `(sum(rate(${failed}[RATE])) or vector(0)) / sum(rate(${requests}[RATE]))` },
      },
      {
        type: 'stat',
        width: 3,
        title: '99th percentile',
        about: 'One request in a hundred takes longer, from its head to the end of its answer.',
        unit: 's',
        bad: 2.5,
        series: { '': quantile(0.99, [], durations) },
      },
      {
        type: 'stat',
        width: 3,
        title: 'In flight',
        about: 'Requests being served now.',
        series: { '': 'sum(mgateway_requests_in_flight{WHERE, route=~"$route"})' },
      },
      {
        type: 'stat',
        width: 3,
        title: 'Replicas',
        about: 'Gateways that Prometheus sees.',
        series: { '': 'count(mgateway_build_info{WHERE})' },
      },
      {
        type: 'stat',
        width: 3,
        title: 'Configurations served',
        about: 'More than 1 for longer than a rollout: replicas disagree.',
        bad: 2,
        series: {
          '': 'max(count by (namespace, job) (count by (namespace, job, served_hash) (mgateway_config_info{WHERE})))',
        },
      },
      {
        type: 'stat',
        width: 3,
        title: 'Resources not as written',
        about: 'Refused, served in an older version, or accepted but not put in place; the worst replica.',
        bad: 1,
        series: {
          '': 'max(sum by (instance) (mgateway_config_resources{WHERE, state!="accepted"})) or vector(0)',
        },
      },
      {
        type: 'stat',
        width: 3,
        title: 'Unhealthy endpoints',
        about: 'Endpoints whose health check fails at one replica or more.',
        bad: 1,
        series: {
          '': 'count(min by (upstream, endpoint) (mgateway_upstream_endpoint_healthy{WHERE}) == 0) or vector(0)',
        },
      },
    ],
  },
  {
    title: 'Traffic and errors',
    panels: [
      {
        width: 8,
        title: 'Requests by status',
        about: '499: the client went first. 0: no answer was sent.',
        unit: 'reqps',
        stacked: true,
        series: { '{{code}}': `sum by (code) (rate(${requests}[RATE]))` },
      },
      {
        width: 8,
        title: 'Requests by route, busiest 10',
        about: '`_none`: no route matched.',
        unit: 'reqps',
        series: { '{{route}}': `topk(10, sum by (route) (rate(${requests}[RATE])))` },
      },
      {
        width: 8,
        title: 'Requests by method',
        about: '`OTHER`: none of the nine that are told apart.',
        unit: 'reqps',
        series: { '{{method}}': `sum by (method) (rate(${requests}[RATE]))` },
      },
      {
        width: 8,
        title: 'Share of errors by route, worst 10',
        about: '5xx, and no answer at all.',
        unit: 'percentunit',
        series: {
          '{{route}}': `topk(10, sum by (route) (rate(${failed}[RATE])) / sum by (route) (rate(${requests}[RATE])))`,
        },
      },
      {
        width: 8,
        title: 'In flight by route, most 10',
        about: 'Streams and WebSockets count as long as they last.',
        series: {
          '{{route}}': 'topk(10, sum by (route) (mgateway_requests_in_flight{WHERE, route=~"$route"}))',
        },
      },
      {
        width: 8,
        title: 'Refused by middleware',
        about: 'Requests that a middleware answered itself: no token, over a limit.',
        unit: 'reqps',
        series: {
          '{{middleware}} {{reason}}':
            'topk(10, sum by (middleware, reason) (rate(mgateway_middleware_rejections_total{WHERE, route=~"$route"}[RATE])))',
        },
      },
    ],
  },
  {
    title: 'Latency',
    panels: [
      {
        width: 8,
        title: 'Duration of requests',
        about: 'From the head of a request to the end of its answer, streams included.',
        unit: 's',
        series: {
          '50 %': quantile(0.5, [], durations),
          '90 %': quantile(0.9, [], durations),
          '99 %': quantile(0.99, [], durations),
        },
      },
      {
        width: 8,
        title: '99th percentile by route, slowest 10',
        about: 'Routes that stream by design stand here with the life of their streams.',
        unit: 's',
        series: { '{{route}}': `topk(10, ${quantile(0.99, ['route'], durations)})` },
      },
      {
        type: 'heatmap',
        width: 8,
        title: 'Durations',
        about: 'How many requests took how long.',
        unit: 's',
        series: { '{{le}}': `sum by (le) (rate(${durations}[RATE]))` },
      },
    ],
  },
  {
    title: 'Upstreams',
    panels: [
      {
        width: 8,
        title: 'Attempts by upstream, busiest 10',
        about: 'A request that is retried counts each time.',
        unit: 'reqps',
        series: { '{{upstream}}': `topk(10, sum by (upstream) (rate(${attempts}[RATE])))` },
      },
      {
        width: 8,
        title: 'Failed attempts by endpoint, worst 10',
        about: '5xx, and 0: no answer came.',
        unit: 'reqps',
        series: {
          '{{upstream}} {{endpoint}} {{code}}':
            'topk(10, sum by (upstream, endpoint, code) (rate(mgateway_upstream_requests_total{WHERE, upstream=~"$upstream", code=~"5..|0"}[RATE])))',
        },
      },
      {
        width: 8,
        title: '99th percentile by upstream, slowest 10',
        about: 'From an attempt being sent to the end of its answer.',
        unit: 's',
        series: { '{{upstream}}': `topk(10, ${quantile(0.99, ['upstream'], attemptDurations)})` },
      },
      {
        width: 8,
        title: 'Retries',
        about: 'Attempts made again, and why.',
        unit: 'reqps',
        series: {
          '{{upstream}} {{reason}}':
            'sum by (upstream, reason) (rate(mgateway_upstream_retries_total{WHERE, upstream=~"$upstream"}[RATE]))',
        },
      },
      {
        width: 8,
        title: 'Share of healthy endpoints',
        about: 'Only upstreams with a health check.',
        unit: 'percentunit',
        series: {
          '{{upstream}}':
            'avg by (upstream) (mgateway_upstream_endpoint_healthy{WHERE, upstream=~"$upstream"})',
        },
      },
      {
        type: 'table',
        width: 8,
        title: 'Unhealthy endpoints',
        about: 'Endpoints whose health check fails at one replica or more.',
        columns: ['upstream', 'endpoint', 'instance'],
        series: { '': 'mgateway_upstream_endpoint_healthy{WHERE, upstream=~"$upstream"} == 0' },
      },
    ],
  },
  {
    title: 'Rate limits',
    panels: [
      {
        width: 8,
        title: 'Answers with 429',
        about: 'Requests over a limit.',
        unit: 'reqps',
        series: {
          '{{route}}':
            'sum by (route) (rate(mgateway_requests_total{WHERE, route=~"$route", code="429"}[RATE]))',
        },
      },
      {
        width: 8,
        title: 'Keys by limiter, most 10',
        about: 'Each replica keeps its own.',
        series: { '{{limiter}}': 'topk(10, max by (limiter) (mgateway_rate_limit_keys{WHERE}))' },
      },
      {
        width: 8,
        title: 'Keys given up before their bucket was full',
        about: 'Above 0 a client may have passed its limit.',
        unit: 'cps',
        series: {
          '{{instance}}': 'sum by (instance) (rate(mgateway_rate_limit_evictions_total{WHERE}[RATE]))',
        },
      },
    ],
  },
  {
    title: 'Configuration',
    panels: [
      {
        width: 8,
        title: 'Reloads by result',
        about: 'partial: some documents refused. refused: nothing taken over.',
        stacked: true,
        series: { '{{result}}': 'sum by (result) (increase(mgateway_config_reloads_total{WHERE}[RATE]))' },
      },
      {
        width: 8,
        title: 'Resources by state',
        about:
          'fallback: an older version is served. failed: accepted, but not put in place. The worst replica.',
        series: { '{{kind}} {{state}}': 'max by (kind, state) (mgateway_config_resources{WHERE})' },
      },
      {
        width: 8,
        title: 'Duration of a reload',
        about: 'From reading the files to the decision.',
        unit: 's',
        series: { '99 %': quantile(0.99, [], 'mgateway_config_reload_duration_seconds_bucket{WHERE}') },
      },
      {
        width: 8,
        title: 'Wholly good, pinned, without state',
        about:
          '1: all that the files say is served. Pinned: a rollback holds an older generation. Without state: the state directory cannot be written.',
        series: {
          '{{instance}}': 'mgateway_config_last_reload_successful{WHERE}',
          '{{instance}} pinned': 'mgateway_config_pinned{WHERE}',
          '{{instance}} without state': 'mgateway_config_state_failing{WHERE}',
        },
      },
      {
        width: 8,
        title: 'Generation',
        about:
          'Counted by each replica for itself: a number that stands still while others move is worth a look.',
        series: { '{{instance}}': 'mgateway_config_generation{WHERE}' },
      },
      {
        type: 'table',
        width: 8,
        title: 'Configuration of each replica',
        about: 'Replicas that agree show the same hashes.',
        columns: ['instance', 'source_hash', 'served_hash'],
        series: { '': 'mgateway_config_info{WHERE}' },
      },
    ],
  },
  {
    title: 'Shadow configuration',
    panels: [
      {
        width: 8,
        title: 'Requests compared',
        about:
          'With `--shadow`. uncertain: a limit, a module or a token that cannot be verified has the last word.',
        unit: 'reqps',
        stacked: true,
        series: {
          '{{result}}':
            'sum by (result) (rate(mgateway_shadow_requests_total{WHERE, route=~"$route"}[RATE]))',
        },
      },
      {
        width: 8,
        title: 'What it would change, by route, most 10',
        about: 'Several of them for a request.',
        unit: 'reqps',
        series: {
          '{{route}} {{change}}':
            'topk(10, sum by (route, change) (rate(mgateway_shadow_changes_total{WHERE, route=~"$route"}[RATE])))',
        },
      },
      {
        width: 8,
        title: 'Requests not compared',
        about:
          'behind: the thread was busy. candidate: the configuration has problems. No traffic waits for it.',
        unit: 'reqps',
        series: {
          '{{instance}} {{reason}}':
            'sum by (instance, reason) (rate(mgateway_shadow_dropped_total{WHERE}[RATE]))',
        },
      },
    ],
  },
  {
    title: 'Saturation',
    panels: [
      {
        width: 8,
        title: 'Processor time',
        about: '1: one core, all threads together.',
        series: {
          '{{instance}}':
            'rate(process_cpu_seconds_total{WHERE}[RATE]) and on (job, instance) mgateway_build_info',
        },
      },
      {
        width: 8,
        title: 'Memory',
        about: 'Of the whole process, all threads together.',
        unit: 'bytes',
        series: {
          '{{instance}}': 'process_resident_memory_bytes{WHERE} and on (job, instance) mgateway_build_info',
        },
      },
      {
        width: 8,
        title: 'Delay of event loops by worker',
        about: 'The longest within the last 15 seconds.',
        unit: 's',
        series: { '{{instance}} worker {{worker}}': 'mgateway_worker_loop_delay_seconds{WHERE}' },
      },
      {
        width: 8,
        title: 'Open connections',
        about: 'Of clients, by listener; and those refused a second because limits.connections was reached.',
        series: {
          '{{instance}} {{listener}}': 'sum by (instance, listener) (mgateway_open_connections{WHERE})',
          '{{instance}} {{listener}} refused a second':
            'sum by (instance, listener) (rate(mgateway_connections_refused_total{WHERE}[$__rate_interval]))',
        },
      },
      {
        width: 8,
        title: 'Open file descriptors',
        about: 'Share of the limit.',
        unit: 'percentunit',
        series: {
          '{{instance}}':
            'process_open_fds{WHERE} / process_max_fds{WHERE} and on (job, instance) mgateway_build_info',
        },
      },
      {
        width: 8,
        title: 'Delay of the main thread',
        about: 'It serves no traffic: metrics, probes and health checks.',
        unit: 's',
        series: {
          '{{instance}}':
            'nodejs_eventloop_lag_p99_seconds{WHERE} and on (job, instance) mgateway_build_info',
        },
      },
      {
        width: 8,
        title: 'Workers replaced',
        about: 'They died, or gave no sign of life for 10 s.',
        series: { '{{instance}}': 'increase(mgateway_worker_restarts_total{WHERE}[RATE])' },
      },
      {
        width: 8,
        title: 'Log lines lost',
        about: 'Nobody read the log fast enough; traffic does not wait for it.',
        series: { '{{instance}} {{log}}': 'increase(mgateway_log_dropped_total{WHERE}[RATE])' },
      },
      {
        width: 8,
        title: 'Beyond the most label sets',
        about: 'Requests counted as `_other` because a worker has 20,000 label sets.',
        unit: 'reqps',
        series: {
          '{{instance}}':
            'sum by (instance) (rate(mgateway_requests_total{WHERE, route="_other"}[RATE])) or 0 * max by (instance) (mgateway_build_info{WHERE})',
        },
      },
    ],
  },
];
