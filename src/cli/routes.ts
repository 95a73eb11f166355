import { existsSync } from 'node:fs';
import { loadDirectory } from '../controller/load.ts';
import { routeTable } from '../controller/status/route-table.ts';
import type { RouteRow } from '../controller/status/route-table.ts';
import type { ProgramIo } from './program-io.ts';

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
  const absent = paths.filter((path) => !existsSync(path));
  if (absent.length > 0) {
    for (const path of absent) io.stderr.write(`${path}: no such file or directory\n`);
    return 2;
  }
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
  const cells = [
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
  ];
  const widths = heads.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function listText(words: readonly string[]): string {
  return words.length === 0 ? '-' : words.join(', ');
}
