import { setTimeout as wait } from 'node:timers/promises';
import { median } from '../load/percentile.ts';
import { runLoad } from '../load/load.ts';
import { routeDocument } from '../subjects/route-document.ts';
import { startUpstream } from './running.ts';
import type { Scenario } from './scenario.ts';
import { startGateway } from './start-gateway.ts';

const routes = 10_000;
/** The gauge of the longest loop delay looks this far back. */
const delayWindowMs = 16_000;

/** What Prometheus costs when there is much to tell. (bench/scrape.ts has the rendering alone.) */
export const scrape: Scenario = {
  name: 'scrape',
  describe: `a scrape while ${routes} routes have been asked`,
  async run(bench) {
    const upstream = await startUpstream(bench);
    const indexes = Array.from({ length: routes }, (_, i) => i);
    const text = indexes
      .map((i) =>
        routeDocument({
          name: `route-${i}`,
          match: `path: { prefix: /service-${i} }`,
          upstreamPort: upstream.port,
        }),
      )
      .join('');
    const gateway = await startGateway(bench, 'scrape', { 'routes.yaml': text });
    await runLoad(
      {
        port: gateway.port,
        connections: 16,
        seconds: 5,
        targets: indexes.map((i) => ({ path: `/service-${i}/x` })),
        headers: {},
        dir: bench.newDir('load'),
      },
      bench.closing,
    );
    await gateway.metrics();
    await wait(delayWindowMs);
    await gateway.metrics();
    const times: number[] = [];
    let bytes = 0;
    let mainMs = 0;
    for (let i = 0; i < Math.max(5, bench.options.rounds); i++) {
      const begun = performance.now();
      const body = await gateway.metrics();
      times.push(performance.now() - begun);
      bytes = body.length;
      mainMs = Math.max(
        mainMs,
        Number(/^nodejs_eventloop_lag_max_seconds (.*)$/m.exec(body)?.[1]) * 1_000 - 10,
      );
      await wait(500);
    }
    const workerMs = (await gateway.metric('mgateway_worker_loop_delay_seconds')) * 1_000;
    return {
      name: 'scrape',
      title: `Scrape with ${routes} routes`,
      notes: ['loop delays as the gateway itself measures them, the worst of all scrapes'],
      columns: [
        { key: 'ms', title: 'median ms', digits: 0 },
        { key: 'megabytes', title: 'MB', digits: 1 },
        { key: 'worker', title: 'worker delay ms', digits: 1 },
        { key: 'main', title: 'main delay ms', digits: 1 },
      ],
      rows: [
        {
          name: 'scrape',
          figures: { ms: median(times), megabytes: bytes / 1e6, worker: workerMs, main: mainMs },
        },
      ],
      goals: [
        { text: 'longest worker turn, ms', figure: workerMs, limit: 10 },
        { text: 'longest main loop delay, ms', figure: mainMs, limit: 50 },
      ],
    };
  },
};
