import { median } from '../load/percentile.ts';
import { routeDocument } from '../subjects/route-document.ts';
import type { Scenario } from './scenario.ts';
import { startGateway } from './start-gateway.ts';

const routes = 10;

/** How long until it serves. */
export const start: Scenario = {
  name: 'start',
  describe: `from the start of the program to /readyz, ${routes} routes`,
  async run(bench) {
    const text = Array.from({ length: routes }, (_, i) =>
      routeDocument({ name: `route-${i}`, match: `path: { prefix: /a-${i} }`, upstreamPort: 9 }),
    ).join('');
    const times: number[] = [];
    for (let i = 0; i < Math.max(5, bench.options.rounds); i++) {
      const gateway = await startGateway(bench, `start-${i}`, { 'routes.yaml': text });
      times.push(gateway.readyMs);
      await gateway.process.stop();
    }
    const figures = { median: median(times), least: Math.min(...times), most: Math.max(...times) };
    return {
      name: 'start',
      title: 'Time to be ready',
      notes: [`${times.length} starts`],
      columns: [
        { key: 'median', title: 'median ms', digits: 0 },
        { key: 'least', title: 'least ms', digits: 0 },
        { key: 'most', title: 'most ms', digits: 0 },
      ],
      rows: [{ name: `${routes} routes`, figures }],
      goals: [{ text: 'ms from start to ready', figure: figures.median, limit: 500 }],
    };
  },
};
