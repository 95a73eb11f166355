import type { Explanation } from '../controller/explain/explanation.ts';
import { visible } from '../telemetry/visible.ts';

/** An explanation for people: what happens in order, with the place of everything that has one. */
export function renderExplanation(explanation: Explanation): string {
  const { request, route, middlewares, reply, forward, nearLosers, furtherLosers } = explanation;
  const target = `${request.path}${request.query === '' ? '' : `?${request.query}`}`;
  const lines = [
    `${request.method} ${request.scheme}://${request.host}${target}`,
    `  ${explanation.summary}`,
  ];
  if (route !== undefined) {
    lines.push('', `route ${route.name}  ${route.at}`, `  matches ${hostText(route.hostname)}${route.match}`);
    for (const [name, value] of Object.entries(route.captures)) lines.push(`  {${name}} is ${value}`);
    if (route.note !== undefined) lines.push(`  ${route.note}`);
  }
  if (middlewares.length > 0) {
    lines.push('', 'middlewares');
    for (const [index, { name, type, notes, at, usedAt, outcome }] of middlewares.entries()) {
      const used = usedAt === at ? '' : ` (used at ${usedAt})`;
      lines.push(`  ${index + 1}. ${name} (${type})  ${at}${used}`);
      for (const note of notes) lines.push(`       ${note}`);
      if (outcome === 'unknown')
        lines.push(
          '       cannot be told without running it: what follows is said as if it let the request pass',
        );
    }
  }
  if (reply !== undefined) {
    lines.push('', `answer ${reply.status} ${reply.code}${reply.by === undefined ? '' : ` by ${reply.by}`}`);
    lines.push(`  ${reply.detail}`, ...reply.headers.map(({ name, value }) => `  ${name}: ${value}`));
  }
  if (forward !== undefined) lines.push('', ...forwardLines(request.method, forward));
  if (nearLosers.length > 0) {
    lines.push('', 'near losers');
    for (const { route: name, hostname, match, failed, at } of nearLosers)
      lines.push(`  ${name}  ${at}`, `       ${hostText(hostname)}${match}: ${failed}`);
    if (furtherLosers > 0) lines.push(`  and ${furtherLosers} more`);
  }
  return `${lines.map(visible).join('\n')}\n`;
}

function forwardLines(
  method: string,
  { path, query, headers, hostHeader, upstreams }: NonNullable<Explanation['forward']>,
): readonly string[] {
  const lines = [`forward ${method} ${path}${query === '' ? '' : `?${query}`}`];
  for (const { name, before, after } of headers) {
    if (after.length === 0) lines.push(`  - ${name}`);
    else lines.push(`  ${before.length === 0 ? '+' : '~'} ${name}: ${after.join(', ')}`);
  }
  if (hostHeader === 'Upstream') lines.push("  ~ host: the endpoint's own");
  for (const { name, probability, at, usedAt, endpoints, reply } of upstreams) {
    const used = usedAt === at ? '' : ` (used at ${usedAt})`;
    lines.push(`  ${percent(probability)} ${name}  ${at}${used}`);
    if (reply !== undefined) lines.push(`         is answered ${reply.status} ${reply.code}`);
    for (const endpoint of endpoints)
      lines.push(`         ${percent(endpoint.probability)} ${endpoint.url}  ${endpoint.at}`);
  }
  return lines;
}

function hostText(hostname: string): string {
  return hostname === '' ? '' : `${hostname} `;
}

/** Four characters and the sign, so that they stand below each other. */
function percent(share: number): string {
  const text = (share * 100).toFixed(1).replace(/\.0$/, '');
  return `${text}%`.padStart(6);
}
