import { expect } from 'chai';
import fc from 'fast-check';
import { durationBuckets } from '../../../src/telemetry/duration-buckets.ts';
import type { MainMetrics } from '../../../src/telemetry/metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import type { WorkerSlabs } from '../../../src/telemetry/metric-slabs.ts';
import type { OpenWorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';
import { createWorkerMetrics } from '../../../src/telemetry/worker-metrics.ts';

const mainMetrics = (): MainMetrics => createMetrics({ version: '1.2.3', processMetrics: false });

interface Worker {
  readonly metrics: OpenWorkerMetrics;
  readonly slabs: WorkerSlabs;
}

interface WorkerSetup {
  readonly index?: number;
  readonly maxSeries?: number;
  readonly now?: () => number;
}

/** A worker whose messages reach main when `flush` is called. */
function worker(
  main: MainMetrics,
  { index = 0, maxSeries = 20_000, now = () => 0 }: WorkerSetup = {},
): Worker {
  const slabs = main.openWorker();
  const metrics = createWorkerMetrics({
    workerIndex: index,
    maxSeries,
    now,
    defer: () => {},
    post: (message) => slabs.take(structuredClone(message)),
  });
  return { metrics, slabs };
}

/** Every sample of ours without the prefix: `requests_total{…}` → value. */
async function scrape(main: MainMetrics): Promise<Map<string, number>> {
  const text = Buffer.concat([...(await main.render())]).toString();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^mgateway_(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    expect(samples.has(name), `${name} twice`).to.equal(false);
    samples.set(name, Number(value));
  }
  return samples;
}

function named(samples: Map<string, number>, start: string): Record<string, number> {
  return Object.fromEntries([...samples].filter(([name]) => name.startsWith(start)));
}

describe('createWorkerMetrics', () => {
  it('shows each label set summed over the workers', async () => {
    const main = mainMetrics();
    for (const index of [0, 1]) {
      const { metrics } = worker(main, { index });
      const route = metrics.route('default/users');
      route.begin();
      route.begin();
      route.end('GET', 200, 0.003);
      route.begin();
      route.end('BREW', 0, 20);
      metrics.endpoint('default/v1', 'http://10.0.0.1:80').answered(503);
      metrics.upstream('default/v1').observe(0.2);
      metrics.upstream('default/v1').retried('reset');
      metrics.listener('http').opened();
      metrics.rejected('default/users', 'default/auth', 'token_missing');
      metrics.rejected('_none', 'default/auth', 'token_missing');
      metrics.flush();
    }
    const samples = await scrape(main);
    expect(named(samples, 'requests_')).to.deep.equal({
      'requests_total{route="default/users",method="GET",code="200"}': 2,
      'requests_total{route="default/users",method="OTHER",code="0"}': 2,
      'requests_in_flight{route="default/users"}': 2,
    });
    expect(samples.get('request_duration_seconds_bucket{route="default/users",le="0.0025"}')).to.equal(0);
    expect(samples.get('request_duration_seconds_bucket{route="default/users",le="0.005"}')).to.equal(2);
    expect(samples.get('request_duration_seconds_bucket{route="default/users",le="10"}')).to.equal(2);
    expect(samples.get('request_duration_seconds_bucket{route="default/users",le="+Inf"}')).to.equal(4);
    expect(samples.get('request_duration_seconds_count{route="default/users"}')).to.equal(4);
    expect(samples.get('request_duration_seconds_sum{route="default/users"}')).to.be.closeTo(40.006, 1e-9);
    expect(named(samples, 'upstream_re')).to.include({
      'upstream_requests_total{upstream="default/v1",endpoint="http://10.0.0.1:80",code="503"}': 2,
      'upstream_retries_total{upstream="default/v1",reason="reset"}': 2,
      'upstream_request_duration_seconds_count{upstream="default/v1"}': 2,
    });
    expect(samples.get('open_connections{listener="http"}')).to.equal(2);
    expect(
      samples.get(
        'middleware_rejections_total{route="default/users",middleware="default/auth",reason="token_missing"}',
      ),
    ).to.equal(2);
    expect(
      samples.get(
        'middleware_rejections_total{route="_none",middleware="default/auth",reason="token_missing"}',
      ),
    ).to.equal(2);
    expect(named(samples, 'worker_loop_delay')).to.have.all.keys(
      'worker_loop_delay_seconds{worker="0"}',
      'worker_loop_delay_seconds{worker="1"}',
    );
  });

  it('gives every duration to the bucket that its bound includes', async () => {
    const main = mainMetrics();
    const { metrics } = worker(main);
    const route = metrics.route('r');
    const seconds = fc.oneof(
      fc.constantFrom(0, ...durationBuckets),
      fc.double({ min: 0, max: 30, noNaN: true }),
    );
    const times = fc.sample(seconds, 500);
    for (const time of times) {
      route.begin();
      route.end('GET', 200, time);
    }
    metrics.flush();
    const samples = await scrape(main);
    for (const bound of durationBuckets) {
      const counted = samples.get(`request_duration_seconds_bucket{route="r",le="${bound}"}`);
      expect(counted, `le=${bound}`).to.equal(times.filter((time) => time <= bound).length);
    }
  });

  it('keeps the counts of a dead worker and drops what was in flight there', async () => {
    const main = mainMetrics();
    const first = worker(main);
    const route = first.metrics.route('r');
    route.begin();
    route.begin();
    route.end('GET', 200, 0.1);
    first.metrics.listener('http').opened();
    first.metrics.flush();
    first.slabs.close();
    route.begin();
    route.end('GET', 200, 0.1);
    const dead = await scrape(main);
    expect(named(dead, 'requests_')).to.deep.equal({
      'requests_total{route="r",method="GET",code="200"}': 1,
    });
    expect(named(dead, 'open_connections')).to.deep.equal({});

    const second = worker(main);
    const again = second.metrics.route('r');
    again.begin();
    again.end('GET', 200, 0.1);
    second.metrics.flush();
    const samples = await scrape(main);
    expect(named(samples, 'requests_')).to.deep.equal({
      'requests_total{route="r",method="GET",code="200"}': 2,
      'requests_in_flight{route="r"}': 0,
    });
    expect(samples.get('request_duration_seconds_count{route="r"}')).to.equal(2);
  });

  it('drops a series with the last table that binds its route, and a counter never falls while another worker has it', async () => {
    const main = mainMetrics();
    const workers = [worker(main), worker(main, { index: 1 })];
    const bound = workers.map(({ metrics }) => {
      const series = metrics.route('r');
      expect(metrics.route('r')).to.equal(series);
      series.begin();
      series.end('GET', 200, 0.1);
      metrics.rejected('r', 'm', 'limited');
      metrics.flush();
      return { series, metrics };
    });
    const name = 'requests_total{route="r",method="GET",code="200"}';
    for (const { series } of bound) series.release();
    for (const { metrics } of workers) metrics.flush();
    expect((await scrape(main)).get(name), 'one table each still binds it').to.equal(2);

    bound[0]?.series.release();
    workers[0]?.metrics.flush();
    expect((await scrape(main)).get(name)).to.equal(2);
    bound[1]?.series.release();
    workers[1]?.metrics.flush();
    const samples = await scrape(main);
    expect([...samples.keys()].filter((key) => key.includes('route="r"'))).to.deep.equal([]);
  });

  it('forgets what only dead workers counted when the configuration drops the route', async () => {
    const main = mainMetrics();
    const dead = worker(main);
    for (const label of ['gone', 'stays']) {
      const route = dead.metrics.route(label);
      route.begin();
      route.end('GET', 200, 0.1);
    }
    dead.metrics.flush();
    dead.slabs.close();
    main.forget([{ route: 'gone' }, { upstream: 'stays' }]);
    expect(named(await scrape(main), 'requests_total')).to.deep.equal({
      'requests_total{route="stays",method="GET",code="200"}': 1,
    });
  });

  it('never lets a late count of a released route show up in another series', async () => {
    const main = mainMetrics();
    let time = 0;
    const { metrics } = worker(main, { now: () => time });
    const old = metrics.route('old');
    old.begin();
    old.end('GET', 200, 0.1);
    old.release();
    metrics.flush();
    time = 3_600_000;
    const fresh = metrics.route('fresh');
    fresh.begin();
    fresh.end('GET', 200, 0.1);
    old.begin();
    old.end('GET', 200, 0.1);
    old.end('GET', 404, 0.1);
    metrics.rejected('old', 'm', 'late');
    metrics.flush();
    const samples = await scrape(main);
    expect(named(samples, 'requests_')).to.deep.equal({
      'requests_total{route="fresh",method="GET",code="200"}': 1,
      'requests_in_flight{route="fresh"}': 0,
    });
    expect(samples.get('request_duration_seconds_count{route="fresh"}')).to.equal(1);
    expect([...samples.keys()].filter((name) => name.includes('"old"'))).to.deep.equal([]);
  });

  it('uses freed memory again only after main must have heard of it, and then stays within one page', () => {
    let time = 0;
    let pages = 0;
    const metrics = createWorkerMetrics({
      workerIndex: 0,
      maxSeries: 20_000,
      now: () => time,
      defer: () => {},
      post: (message) => void (pages += message.type === 'MetricPage' ? 1 : 0),
    });
    const churn = (): void => {
      const route = metrics.route('churned');
      route.begin();
      route.end('GET', 200, 0.1);
      route.release();
    };
    for (let i = 0; i < 1_000; i++) churn();
    const atOnce = pages;
    expect(atOnce).to.be.greaterThan(1);
    for (let i = 0; i < 10_000; i++) {
      time += 1_000;
      churn();
    }
    expect(pages).to.equal(atOnce);
  });

  it('counts what is over the cap under _other, and nothing is lost', async () => {
    const main = mainMetrics();
    const { metrics } = worker(main, { maxSeries: 5 });
    const codes = Array.from({ length: 900 }, (_, i) => 100 + i);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      const route = metrics.route(name);
      const endpoint = metrics.endpoint(name, 'http://e');
      for (const code of codes) {
        route.begin();
        route.end('GET', code, 0.01);
        endpoint.answered(code);
        metrics.rejected(name, 'module', `reason ${code}`);
        metrics.upstream(name).retried(`reason ${code}`);
      }
      metrics.upstream(name).observe(0.1);
    }
    metrics.flush();
    const samples = await scrape(main);
    const total = (start: string, only = ''): number =>
      Object.entries(named(samples, start))
        .filter(([name]) => name.includes(only))
        .reduce((sum, [, value]) => sum + value, 0);
    const sets = (start: string): number => Object.keys(named(samples, start)).length;
    const all = 7 * codes.length;
    expect(total('requests_total')).to.equal(all);
    expect(total('requests_total', 'route="_other"')).to.equal(all - 5);
    expect(total('request_duration_seconds_count')).to.equal(all);
    expect(total('requests_in_flight')).to.equal(0);
    expect(total('upstream_requests_total')).to.equal(all);
    expect(total('upstream_request_duration_seconds_count')).to.equal(7);
    expect(total('middleware_rejections_total')).to.equal(all);
    expect(total('upstream_retries_total')).to.equal(all);
    expect(sets('requests_total')).to.be.at.most(5 + 900);
    expect(sets('request_duration_seconds_count')).to.equal(6);
    expect(sets('middleware_rejections_total')).to.be.at.most(5 + 257);
    expect(sets('upstream_retries_total')).to.be.at.most(5 + 33);
  });

  it('announces many series in messages of bounded size, one a turn, before anything of them is removed', () => {
    const tasks: (() => void)[] = [];
    const sizes: number[] = [];
    const known = new Set<number>();
    const metrics = createWorkerMetrics({
      workerIndex: 0,
      maxSeries: 20_000,
      defer: (task) => void tasks.push(task),
      post(message) {
        if (message.type !== 'MetricSeries') return;
        sizes.push(message.added.length + message.removed.length);
        for (const { id } of message.added) known.add(id);
        for (const id of message.removed) expect(known.delete(id)).to.equal(true);
      },
    });
    for (let i = 0; i < 2_000; i++) {
      const route = metrics.route(`r${i}`);
      route.begin();
      route.end('GET', 200, 0.1);
      route.release();
    }
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
    expect(Math.max(...sizes)).to.be.at.most(250);
    expect(sizes.length).to.be.at.least(48);
    expect([...known], 'the loop delay alone is left').to.have.length(1);
  });
});
