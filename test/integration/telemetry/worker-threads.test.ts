import { expect } from 'chai';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { WorkerSlabs } from '../../../src/telemetry/metric-slabs.ts';
import type { MainMetrics } from '../../../src/telemetry/metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import type { MetricMessage } from '../../../src/telemetry/series-ledger.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';

describe('metrics of worker threads', () => {
  const cleanup = cleanupAfterEach();

  function startWorker(
    main: MainMetrics,
    data: { readonly index: number; readonly requests: number },
  ): Worker {
    const slabs: WorkerSlabs = main.openWorker();
    const worker = new Worker(new URL('./fixtures/count-requests.ts', import.meta.url), { workerData: data });
    worker.on('message', (message: MetricMessage) => slabs.take(message));
    worker.on('exit', () => slabs.close());
    cleanup.add(() => worker.terminate());
    return worker;
  }
  const sample = async (main: MainMetrics, name: string): Promise<number | undefined> => {
    const text = Buffer.concat([...(await main.render())]).toString();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`mgateway_${name} `));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };

  it('are read from shared memory at scrape; a dead worker leaves its counters and takes its gauges', async () => {
    const main = createMetrics({ version: '1.2.3', processMetrics: false });
    const total = 'requests_total{route="default/users",method="GET",code="200"}';
    const inFlight = 'requests_in_flight{route="default/users"}';
    const first = startWorker(main, { index: 0, requests: 1_000 });
    startWorker(main, { index: 1, requests: 500 });
    await eventually(async () => expect(await sample(main, total)).to.equal(1_500));
    expect(await sample(main, inFlight)).to.equal(2);
    first.postMessage('die');
    await once(first, 'exit');
    expect(await sample(main, total)).to.equal(1_500);
    expect(await sample(main, inFlight)).to.equal(1);
    expect(await sample(main, 'worker_loop_delay_seconds{worker="0"}')).to.equal(undefined);
    startWorker(main, { index: 0, requests: 20 });
    await eventually(async () => expect(await sample(main, total)).to.equal(1_520));
    expect(await sample(main, 'request_duration_seconds_count{route="default/users"}')).to.equal(1_520);
  });

  it('show how long the loop of a worker was blocked', async () => {
    const main = createMetrics({ version: '1.2.3', processMetrics: false });
    const worker = startWorker(main, { index: 3, requests: 1 });
    await eventually(
      async () => {
        worker.postMessage('block');
        expect(await sample(main, 'worker_loop_delay_seconds{worker="3"}')).to.be.greaterThan(0.1);
      },
      { everyMs: 300 },
    );
  });
});
