/**
 * What a match costs, and an edit: `node --import ts-blank-space/register bench/micro/routing.ts`.
 * Figures are medians of rounds; a busy machine shifts all of them alike.
 */
import { HeaderList } from '../../src/routing/header-list.ts';
import type { MatchRequest } from '../../src/routing/rule.ts';
import { buildTable, RoutingTable } from '../../src/routing/table.ts';
import { parseTarget } from '../../src/routing/target.ts';
import type { PathMatch, RouteSnapshot } from '../../src/snapshot/model.ts';

const headers = new HeaderList(['Host', 'x', 'Accept', '*/*', 'User-Agent', 'bench']);

function route(name: string, hostnames: readonly string[], path: PathMatch, guarded: boolean): RouteSnapshot {
  return {
    name,
    priority: 0,
    hostnames,
    matches: [{ path, methods: [], headers: [], query: [] }],
    middlewares: guarded ? ['Middleware/default/jwt'] : [],
    upstreams: [],
    hostHeader: 'Preserve',
    timeouts: { requestMs: 0, attemptMs: 0, idleMs: 0 },
    drainMs: 0,
  };
}

interface Case {
  readonly name: string;
  readonly route: (index: number, count: number) => RouteSnapshot;
  readonly path: (index: number) => string;
  readonly sizes: readonly number[];
}

const hostOf = (i: number, n: number): string => `h${i % Math.max(1, Math.floor(n / 20))}.example.com`;
const mixedPath = (i: number): PathMatch =>
  i % 2 === 0
    ? { type: 'Prefix', value: `/svc${i}/api` }
    : { type: 'Template', value: `/svc${i}/{id}/items` };
const mixedRequest = (i: number): string => (i % 2 === 0 ? `/svc${i}/api/users/7` : `/svc${i}/4711/items`);

const cases: readonly Case[] = [
  {
    name: 'hosts × templates × prefixes',
    route: (i, n) => route(`d/r${i}`, [hostOf(i, n)], mixedPath(i), false),
    path: mixedRequest,
    sizes: [10, 1_000, 10_000, 100_000],
  },
  {
    name: 'the same, all with a middleware',
    route: (i, n) => route(`d/r${i}`, [hostOf(i, n)], mixedPath(i), true),
    path: mixedRequest,
    sizes: [10, 10_000],
  },
  {
    name: 'one host',
    route: (i) => route(`d/r${i}`, ['h0.example.com'], mixedPath(i), false),
    path: mixedRequest,
    sizes: [10, 1_000, 10_000, 100_000],
  },
  {
    name: 'regex, own literal prefix',
    route: (i) =>
      route(`d/r${i}`, ['h0.example.com'], { type: 'Regex', value: `/svc${i}/[a-z]+/\\d+` }, false),
    path: (i) => `/svc${i}/users/42`,
    sizes: [10, 1_000, 10_000],
  },
  {
    name: 'regex, common literal prefix',
    route: (i) =>
      route(`d/r${i}`, ['h0.example.com'], { type: 'Regex', value: `/api/v\\d+/svc${i}/.*` }, false),
    path: (i) => `/api/v2/svc${i}/users/42`,
    sizes: [10, 1_000],
  },
];

function nanoseconds(run: () => void, times: number): number {
  run();
  const rounds: number[] = [];
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    run();
    rounds.push(((performance.now() - start) * 1e6) / times);
  }
  return rounds.sort((a, b) => a - b)[4] as number;
}

const figure = (value: number, digits = 0): string => value.toFixed(digits).padStart(9);

console.log(
  `${'routes'.padEnd(38)}${'match ns'.padStart(9)}${'build ms'.padStart(9)}${'edit ms'.padStart(9)}${'turn ms'.padStart(9)}`,
);
for (const { name, route: make, path, sizes } of cases) {
  for (const size of sizes) {
    const routes = Array.from({ length: size }, (_, i) => make(i, size));
    const start = performance.now();
    const table = buildTable(routes, ({ name: bound }) => bound);
    const build = performance.now() - start;

    let longest = 0;
    const steps = RoutingTable.empty<string>().changing(
      { set: routes, removed: [] },
      ({ name: bound }) => bound,
    );
    for (let done = false; !done;) {
      const begin = performance.now();
      done = steps.next().done === true;
      longest = Math.max(longest, performance.now() - begin);
    }

    const edit = nanoseconds(() => {
      for (let k = 0; k < 10; k++) {
        table.change(
          { set: [routes[(k * 37) % size] as RouteSnapshot], removed: [] },
          ({ name: bound }) => bound,
        );
      }
    }, 10);

    // A hundred requests over the whole table: more would measure the processor's caches.
    const requests: MatchRequest[] = Array.from({ length: Math.min(size, 100) }, (_, k) => {
      const i = Math.floor((k * size) / 100) % size;
      const host = (routes[i] as RouteSnapshot).hostnames[0] as string;
      return { host, path: path(i), method: 'GET', headers, query: '', listener: 'http' };
    });
    const rounds = Math.ceil(50_000 / requests.length);
    const match = nanoseconds(() => {
      for (let k = 0; k < rounds; k++) {
        for (const request of requests) {
          if (table.match(request).kind !== 'matched') throw new Error(`no match for ${request.path}`);
        }
      }
    }, rounds * requests.length);
    console.log(
      `${`${name}, ${size}`.padEnd(38)}${figure(match)}${figure(build)}${figure(edit / 1e6, 3)}${figure(longest, 1)}`,
    );
  }
}

for (const target of ['/users/4711/orders', '/users/4711/orders?page=2&size=50', '/a%20b/../c/%7Euser']) {
  const ns = nanoseconds(() => {
    for (let i = 0; i < 200_000; i++) parseTarget(target);
  }, 200_000);
  console.log(`${`parseTarget ${target}`.padEnd(38)}${figure(ns)}`);
}
