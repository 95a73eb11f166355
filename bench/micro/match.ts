import { HeaderList } from '../../src/routing/header-list.ts';
import type { MatchRequest } from '../../src/routing/rule.ts';
import { buildTable } from '../../src/routing/table.ts';
import type { MatchSnapshot, PathMatch, RouteSnapshot } from '../../src/snapshot/model.ts';
import type { Measured } from './measure.ts';
import { measure } from './measure.ts';

/** Finding a request's route among few and many. */
export async function measureMatch(): Promise<readonly Measured[]> {
  const found: Measured[] = [];
  for (const size of [10, 1_000, 100_000]) {
    const table = buildTable(
      Array.from({ length: size }, (_, i) => routeOf(i)),
      ({ name }) => name,
    );
    const requests = Array.from({ length: 100 }, (_, k) => requestOf(Math.floor((k * size) / 100)));
    found.push(
      await measure(`match, ${size} routes`, (call) => {
        const result = table.match(requests[call % requests.length] as MatchRequest);
        if (result.kind !== 'matched') throw new Error('no route');
      }),
    );
  }
  return found;
}

const hostOf = (i: number): string => `host-${Math.floor(i / 100)}.example.com`;

function routeOf(i: number): RouteSnapshot {
  const paths: readonly PathMatch[] = [
    { type: 'Prefix', value: `/prefix-${i}` },
    { type: 'Template', value: `/items-${i}/{id}/parts/{part}` },
    { type: 'Exact', value: `/exact-${i}` },
  ];
  const match: MatchSnapshot = { path: paths[i % 3] as PathMatch, methods: [], headers: [], query: [] };
  return {
    name: `default/route-${i}`,
    priority: 0,
    hostnames: [hostOf(i)],
    matches: [match],
    middlewares: [],
    upstreams: [],
    hostHeader: 'Preserve',
    timeouts: { requestMs: 0, attemptMs: 0, idleMs: 0 },
    drainMs: 0,
  };
}

function requestOf(i: number): MatchRequest {
  const path = [`/prefix-${i}/users/1`, `/items-${i}/7/parts/9`, `/exact-${i}`][i % 3] ?? '/';
  return { host: hostOf(i), path, method: 'GET', headers: new HeaderList([]), query: '' };
}
