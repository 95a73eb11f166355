import { expect } from 'chai';
import type { ConfigStatus } from '../../../src/snapshot/messages.ts';
import type { MainMetrics } from '../../../src/telemetry/metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const status: ConfigStatus = {
  result: 'applied',
  generation: 3,
  sourceHash: 'aaa',
  servedHash: 'aaa',
  durationSeconds: 0.2,
  time: 1_700_000_000,
  resources: [{ kind: 'Route', state: 'accepted', count: 4 }],
  problems: 0,
};

async function lines(main: MainMetrics): Promise<string[]> {
  const text = Buffer.concat([...(await main.render())]).toString();
  expect(text.endsWith('\n')).to.equal(true);
  return text
    .split('\n')
    .filter((line) => line.startsWith('mgateway_'))
    .map((line) => line.slice('mgateway_'.length));
}

describe('createMetrics', () => {
  let main: MainMetrics;
  beforeEach(() => {
    main = createMetrics({ version: '1.2.3', processMetrics: false });
  });

  it('shows the configuration as last reconciled, and nothing of the one before', async () => {
    main.configStatus({
      ...status,
      sourceHash: 'old',
      resources: [{ kind: 'Gateway', state: 'accepted', count: 1 }],
    });
    main.configStatus(status);
    const all = await lines(main);
    expect(all).to.include.members([
      'config_reloads_total{result="applied"} 2',
      'config_reloads_total{result="refused"} 0',
      'config_last_reload_successful 1',
      'config_last_reload_success_timestamp_seconds 1700000000',
      'config_reload_duration_seconds_count 2',
      'config_generation 3',
      'config_info{source_hash="aaa",served_hash="aaa"} 1',
      'config_resources{kind="Route",state="accepted"} 4',
    ]);
    expect(all.filter((line) => /^config_(info|resources)/.test(line))).to.have.length(2);
  });

  it('does not call it success as long as something is refused, though nothing changed since', async () => {
    main.configStatus(status);
    const refused = [...status.resources, { kind: 'Route', state: 'refused', count: 1 } as const];
    for (const result of ['partial', 'unchanged'] as const) {
      main.configStatus({ ...status, result, time: status.time + 60, resources: refused });
      const all = await lines(main);
      expect(all).to.include('config_last_reload_successful 0');
      expect(all).to.include('config_last_reload_success_timestamp_seconds 1700000000');
    }
    main.configStatus({ ...status, result: 'unchanged', time: status.time + 90 });
    expect(await lines(main)).to.include('config_last_reload_success_timestamp_seconds 1700000090');
  });

  it('adds up evictions over limiters that come, go and begin anew', async () => {
    main.limiterStats('a', { keys: 10, evictions: 5 });
    main.limiterStats('a', { keys: 12, evictions: 7 });
    main.limiterStats('b', { keys: 1, evictions: 1 });
    main.limiterStats('b', undefined);
    main.limiterStats('a', { keys: 0, evictions: 2 });
    const all = await lines(main);
    expect(all).to.include('rate_limit_evictions_total 10');
    expect(all.filter((line) => line.startsWith('rate_limit_keys'))).to.deep.equal([
      'rate_limit_keys{limiter="a"} 0',
    ]);
  });

  it('shows a verdict for as long as an endpoint is checked', async () => {
    main.endpointHealthy('default/u', 'http://a:1', true);
    main.endpointHealthy('default/u', 'http://b:1', true);
    main.endpointHealthy('default/u', 'http://b:1', false);
    main.endpointHealthy('default/u', 'http://a:1', undefined);
    const verdicts = (await lines(main)).filter((line) => line.startsWith('upstream_endpoint_healthy'));
    expect(verdicts).to.deep.equal([
      'upstream_endpoint_healthy{upstream="default/u",endpoint="http://b:1"} 0',
    ]);
  });

  it('escapes label values', async () => {
    const slabs = main.openWorker();
    slabs.take({ type: 'MetricPage', page: 0, buffer: new SharedArrayBuffer(64) });
    const series = { id: 1, metric: 'open_connections', labels: { listener: 'a"b\\c\nd' }, page: 0, slot: 0 };
    slabs.take({ type: 'MetricSeries', added: [series], removed: [] });
    expect(await lines(main)).to.include('open_connections{listener="a\\"b\\\\c\\nd"} 0');
  });

  it('lets other work run between slices when there is much to render', async () => {
    let pauses = 0;
    let clock = 0;
    const many = createMetrics({ version: '1.2.3', processMetrics: false, now: () => (clock += 6) });
    const slabs = many.openWorker();
    slabs.take({ type: 'MetricPage', page: 0, buffer: new SharedArrayBuffer(8 * 1_000) });
    const added = Array.from({ length: 1_000 }, (_, i) => {
      return { id: i, metric: 'requests_in_flight', labels: { route: `r${i}` }, page: 0, slot: i };
    });
    slabs.take({ type: 'MetricSeries', added, removed: [] });
    let watching = true;
    const watch = (): void => {
      pauses += 1;
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    const all = await lines(many);
    watching = false;
    expect(all.filter((line) => line.startsWith('requests_in_flight'))).to.have.length(1_000);
    expect(pauses).to.be.at.least(1_000 / 64 - 1);
  });
});
