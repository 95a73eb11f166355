import type { Example, RouteReport, ShadowReport } from '../shadow/report.ts';
import { visible } from '../telemetry/visible.ts';
import { problemLine } from './problem-line.ts';

const hashCharacters = 12;

/** What `mgateway shadow` prints. */
export function renderShadow(report: ShadowReport): string {
  const { candidate, served, comparing, since, requests, dropped, routes } = report;
  const { same, changed, uncertain } = requests;
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  const changing = routes.filter((route) => route.changed + route.uncertain > 0);
  const lines = [
    `candidate  ${candidate.paths.join(', ')}`,
    `           read ${candidate.readAt === null ? 'never yet' : timeText(candidate.readAt)}, source ${candidate.sourceHash.slice(0, hashCharacters) || '-'}`,
    `served     generation ${served.generation}`,
    `comparing  ${comparing ? `since ${timeText(since)}` : `NO: ${whyNot(report)}`}`,
    '',
    `requests   ${same + changed + uncertain} compared: ${same} the same, ${changed} changed, ${uncertain} perhaps`,
    ...(lost.length === 0
      ? []
      : [`           ${lost.map(([reason, count]) => `${count} not compared (${reason})`).join(', ')}`]),
    ...changing.flatMap((route) => ['', ...routeLines(route)]),
    ...problemLines(report),
  ];
  return `${lines.map(visible).join('\n')}\n`;
}

function whyNot({ candidate }: ShadowReport): string {
  const { problems, readAt } = candidate;
  if (problems.length > 0)
    return `nothing can be told while the candidate has a problem; it has ${problems.length}, listed below`;
  return readAt === null ? 'the candidate was not read yet' : 'what is served is not known here yet';
}

function routeLines({ route, same, changed, uncertain, changes, examples }: RouteReport): readonly string[] {
  const kinds = Object.entries(changes).map(([kind, count]) => `${kind} ${count}`);
  const perhaps = uncertain === 0 ? '' : `, ${uncertain} perhaps`;
  return [
    `route ${route}: ${changed} of ${same + changed + uncertain} changed${perhaps} (${kinds.join(', ')})`,
    ...examples.flatMap(exampleLines),
  ];
}

function exampleLines({
  count,
  changes,
  certain,
  method,
  host,
  path,
  from,
  to,
  fields,
}: Example): readonly string[] {
  const isShort = from === to;
  return [
    `  ${count} × ${changes.join(', ')}${certain ? '' : ' (as far as can be told)'}, such as ${method} ${host}${path}`,
    ...(isShort ? fields.map((field) => `    ${field}`) : [`    from ${from}`, `    to   ${to}`]),
  ];
}

function problemLines({ candidate }: ShadowReport): readonly string[] {
  if (candidate.problems.length === 0) return [];
  return [
    '',
    'problems of the candidate:',
    ...candidate.problems.map((problem) => `  ${problemLine(problem)}`),
  ];
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
