import { loadDirectory } from '../controller/load.ts';
import { routeTable } from '../controller/status/route-table.ts';
import type { RouteRow } from '../controller/status/route-table.ts';
import { visible } from '../telemetry/visible.ts';
import { sayAbsent } from './absent-paths.ts';
import type { ProgramIo } from './program-io.ts';
import { textTable } from './text-table.ts';

export interface RoutesOptions {
  readonly output: 'text' | 'json';
}

/**
 * `mgateway routes PATH...`: the routes of files and directories in the order in which they are asked, without serving
 * and without secrets. Resolves with the exit code: 0 good, 1 some of it is refused, 2 a path that is not there.
 */
export async function runRoutes(
  paths: readonly string[],
  { output }: RoutesOptions,
  io: Pick<ProgramIo, 'env' | 'stdout' | 'stderr'>,
): Promise<number> {
  if (sayAbsent(paths, io)) return 2;
  const loaded = await loadDirectory(paths, { offline: true, environment: io.env, caps: { restMs: 0 } });
  const rows = routeTable(loaded.entries, (key) => loaded.resources.get(key));
  const { problems } = loaded;
  if (output === 'json') io.stdout.write(`${JSON.stringify({ routes: rows, problems }, undefined, 2)}\n`);
  else io.stdout.write(rows.length === 0 ? 'no routes\n' : renderTable(rows));
  if (problems.length === 0) return 0;
  if (output === 'text') {
    io.stderr.write(`${problems.length} problem(s); mgateway validate tells which\n`);
  }
  return 1;
}

const heads = ['ROUTE', 'PRIORITY', 'HOST', 'MATCH', 'MIDDLEWARES', 'UPSTREAMS', 'AT'] as const;

function renderTable(rows: readonly RouteRow[]): string {
  const table = textTable([
    heads,
    ...rows.map((row) => [
      row.route,
      String(row.priority),
      row.hostname === '' ? '*' : row.hostname,
      row.listeners === undefined ? row.match : `${row.match} on ${row.listeners.join(',')}`,
      listText(row.middlewares),
      row.unsecured === undefined ? listText(row.upstreams) : `503 (${row.unsecured})`,
      row.at,
    ]),
  ]);
  return `${table.map(visible).join('\n')}\n`;
}

function listText(words: readonly string[]): string {
  return words.length === 0 ? '-' : words.join(', ');
}
