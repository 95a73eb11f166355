import type { Target } from '../load/order.ts';
import type { Report } from '../report/report.ts';
import { routeDocument } from '../subjects/route-document.ts';
import type { Running } from './running.ts';
import { measureRounds, startUpstream } from './running.ts';
import type { Bench, Scenario } from './scenario.ts';
import { startGateway } from './start-gateway.ts';

const sizes = [10, 1_000, 100_000];
const regexes = 1_000;

/** Does a request cost the same however many routes there are? */
export const scale: Scenario = {
  name: 'scale',
  describe: '10, 1,000 and 100,000 routes (hosts × templates × prefixes); 1,000 regexes on one host',
  run: (bench) => run(bench, sizes, regexes),
};

/** One size against ten routes, where 100,000 take too long. */
export const scaleOf = (size: number): Scenario => ({
  name: `scale-${size}`,
  describe: `10 and ${size} routes`,
  run: (bench) => run(bench, [10, size], 0),
});

interface Set {
  readonly name: string;
  readonly text: string;
  readonly targets: readonly Target[];
}

async function run(bench: Bench, of: readonly number[], regexRoutes: number): Promise<Report> {
  const upstream = await startUpstream(bench);
  const sets = [
    ...of.map((size) => mixedSet(size, upstream.port)),
    ...(regexRoutes > 0 ? [regexSet(regexRoutes, upstream.port)] : []),
  ];
  const running: Running[] = [];
  for (const { name, text } of sets) {
    const gateway = await startGateway(bench, name, { 'routes.yaml': text });
    bench.say(`${name}: ready after ${(gateway.readyMs / 1000).toFixed(1)} s`);
    running.push(gateway);
  }
  const targets = new Map(sets.map((set) => [set.name, set.targets]));
  const measured = await measureRounds(bench, running, {
    headers: {},
    targetsOf: ({ name }) => targets.get(name) ?? [],
  });
  const base = measured[0];
  if (base === undefined) throw new Error('nothing was measured');
  const rows = measured.map((row) => ({
    name: row.name,
    figures: {
      cpu: row.cpuMicros,
      ratio: row.cpuMicros / base.cpuMicros,
      rps: row.requestsPerSecond,
      p99: row.p99Ms,
      memory: row.residentBytes / 2 ** 20,
      failures: row.failures,
    },
  }));
  return {
    name: of.length === sizes.length ? 'scale' : `scale-${of[1]}`,
    title: 'Cost of a request by number of routes',
    notes: [
      'a hundred targets in turn, spread over all routes; ten routes = 1.00; the generator chooses among targets in each row alike',
    ],
    columns: [
      { key: 'cpu', title: 'CPU µs/req', digits: 1 },
      { key: 'ratio', title: 'ratio', digits: 2 },
      { key: 'rps', title: 'req/s', digits: 0 },
      { key: 'p99', title: 'p99 ms', digits: 2 },
      { key: 'memory', title: 'RSS MiB', digits: 0 },
      { key: 'failures', title: 'failed', digits: 0 },
    ],
    rows,
    goals: rows.slice(1).map(({ name, figures }) => ({
      text: `CPU per request with ${name} against ten`,
      figure: figures.ratio,
      limit: name.includes('regex') ? 1.3 : 1.1,
    })),
    chart: 'cpu',
  };
}

/** A third each: prefixes, templates and exact paths, a hundred routes a host. */
function mixedSet(size: number, upstreamPort: number): Set {
  const each = Array.from({ length: size }, (_, i) => {
    const hostname = `host-${Math.floor(i / 100)}.example.com`;
    const path = [`/prefix-${i}`, `/items-${i}/{id}/parts/{part}`, `/exact-${i}`][i % 3] ?? '';
    const kind = ['prefix', 'template', 'exact'][i % 3] ?? '';
    const asked = [`/prefix-${i}/users/1`, `/items-${i}/7/parts/9`, `/exact-${i}`][i % 3] ?? '';
    const document = routeDocument({
      name: `route-${i}`,
      hostname,
      match: `path: { ${kind}: "${path}" }`,
      upstreamPort,
    });
    return { document, target: { path: asked, host: hostname } };
  });
  return {
    name: `${size} routes`,
    text: each.map(({ document }) => document).join(''),
    targets: spread(each.map(({ target }) => target)),
  };
}

function regexSet(size: number, upstreamPort: number): Set {
  const indexes = Array.from({ length: size }, (_, i) => i);
  return {
    name: `${size} regexes`,
    text: indexes
      .map((i) =>
        routeDocument({
          name: `regex-${i}`,
          match: `path: { regex: "/service-${i}/[a-z]+/[0-9]+" }`,
          upstreamPort,
        }),
      )
      .join(''),
    targets: spread(indexes.map((i) => ({ path: `/service-${i}/users/1` }))),
  };
}

/** A hundred different targets in any case, so that what is asked is as varied in each row. */
function spread(all: readonly Target[]): readonly Target[] {
  return Array.from({ length: 100 }, (_, k) => {
    const target = all[Math.floor((k * all.length) / 100)];
    if (target === undefined) throw new Error('no routes');
    return { ...target, path: `${target.path}?n=${k}` };
  });
}
