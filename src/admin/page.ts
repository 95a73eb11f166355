import { createHash } from 'node:crypto';
import type { Query, QueryName } from './api.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { Column, Row } from './page-sections.ts';
import { field, isRow, lines, pairs, rowsOf, table, text, textsOf, timeText } from './page-sections.ts';
import type { Reply } from './reply.ts';

const style = `
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; --bad: light-dark(#b3261e, #ff8a80); }
body { max-width: 90rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; } h2 a { font-weight: normal; font-size: 12px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td, dd { font: 12px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
td { min-width: 9rem; } td.short { min-width: 0; white-space: nowrap; overflow-wrap: normal; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0 0 .6rem; } dd { margin: 0; }
.bad { color: var(--bad); } p { color: light-dark(#666, #aaa); }
a { color: light-dark(#0b57d0, #8ab4f8); }
`;
const styleHash = createHash('sha256').update(style).digest('base64');
// Whole, because the hash is of every character between the tags.
const styleElement: Html = { html: `<style>${style}</style>` };
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The page `/`: what the API says, for people; no script, nothing from elsewhere. */
export async function renderPage(query: Query): Promise<Reply> {
  const sections = await Promise.all([
    section('Status', 'status', query, showStatus),
    section('Resources with problems', 'resources', query, showResources),
    section('Shadow', 'shadow', query, showShadow),
    section('Routes, in the order in which they are asked', 'routes', query, showRoutes),
    section('Upstreams', 'upstreams', query, showUpstreams),
    section('Generations, newest first', 'generations', query, showGenerations),
  ]);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>mgateway</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${styleElement}
      </head>
      <body>
        <h1>mgateway</h1>
        ${sections}
        <p>As of this moment; load again to see anew. <a href="/metrics">Metrics</a></p>
      </body>
    </html> `;
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: page.html,
    headers: { 'content-security-policy': contentSecurityPolicy },
  };
}

/** `show` undefined: there is nothing of the kind, so no section either. */
async function section(
  title: string,
  name: QueryName,
  query: Query,
  show: (value: unknown) => Html | undefined,
): Promise<Html> {
  const body = await query(name, {}).then(show, (error: unknown) => {
    return html`<p class="bad">not known: ${error instanceof Error ? error.message : String(error)}</p>`;
  });
  if (body === undefined) return html``;
  return html`<h2>${title} <a href="/api/v1/${name}">json</a></h2>
    ${body}`;
}

const hashCharacters = 12;

function showStatus(value: unknown): Html {
  if (!isRow(value)) return html`<p>not known</p>`;
  const { generation, result, time, sourceHash, servedHash, pin, documents, problems } = value;
  const listed = rowsOf(value, 'problemList');
  const warnings = rowsOf(value, 'warnings');
  const served = sourceHash === servedHash ? '' : `, served ${text(servedHash).slice(0, hashCharacters)}`;
  const facts = pairs([
    ['generation', text(generation)],
    ['last read', `${text(result)} ${timeText(time)}`],
    ['source', `${text(sourceHash).slice(0, hashCharacters)}${served}`],
    [
      'pinned',
      isRow(pin) ? `to generation ${text(pin['generation'])} since ${timeText(pin['since'])}` : 'no',
    ],
    ['documents', text(documents)],
    ['problems', text(problems)],
  ]);
  return html`${facts}${listed.length > 0 ? table(listed, problemColumns('Problem'), () => true) : html``}
  ${warnings.length > 0 ? table(warnings, problemColumns('Warning')) : html``}`;
}

function problemColumns(title: string): readonly Column[] {
  return [
    field('Place', 'at'),
    field('Field', 'path'),
    { title, cell: ({ message, hint }) => `${text(message)}${hint === undefined ? '' : ` (${text(hint)})`}` },
  ];
}

function showResources(value: unknown): Html {
  const columns: readonly Column[] = [
    field('Kind', 'kind', true),
    { title: 'Name', cell: ({ namespace, name }) => `${text(namespace)}/${text(name)}` },
    field('State', 'state', true),
    {
      title: 'Why',
      cell: (row) => lines(rowsOf(row, 'conditions').filter(isBadCondition).map(conditionText)),
    },
    field('Place', 'at'),
  ];
  const rows = rowsOf(value, 'resources').filter(({ state }) => state !== 'accepted');
  return table(rows, columns, () => true);
}

function isBadCondition({ type, status }: Row): boolean {
  return type === 'Fallback' ? status === 'True' : status !== 'True';
}

function conditionText({ type, reason, message }: Row): string {
  const what = type === 'Fallback' ? 'an older version is served' : `not ${text(type)}`;
  return `${what} (${text(reason)})${text(message) === '' ? '' : `: ${text(message)}`}`;
}

function showShadow(value: unknown): Html | undefined {
  if (!isRow(value) || value['enabled'] !== true) return undefined;
  const { candidate, comparing, since, requests } = value;
  const counts = isRow(requests) ? requests : {};
  const facts = pairs([
    ['candidate', isRow(candidate) ? textsOf(candidate['paths']).join(', ') : ''],
    [
      'comparing',
      comparing === true ? `since ${timeText(since)}` : 'no: it has a problem, or was not read yet',
    ],
    ['requests', ['same', 'changed', 'uncertain'].map((name) => `${text(counts[name])} ${name}`).join(', ')],
  ]);
  const problems = rowsOf(candidate, 'problems');
  const routes = rowsOf(value, 'routes').filter((row) => row['changed'] !== 0 || row['uncertain'] !== 0);
  const columns = [
    field('Route', 'route'),
    ...['same', 'changed', 'uncertain'].map((name) => field(name, name, true)),
    { title: 'What changes', cell: ({ changes }: Row) => (isRow(changes) ? countsText(changes) : '') },
  ];
  return html`${facts}${problems.length > 0 ? table(problems, problemColumns('Problem'), () => true) : html``}
  ${routes.length > 0 ? table(routes, columns) : html``}`;
}

function countsText(counts: Row): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${text(count)}`)
    .join(', ');
}

function showRoutes(value: unknown): Html {
  const columns: readonly Column[] = [
    field('Route', 'route'),
    field('Priority', 'priority', true),
    { title: 'Host', cell: ({ hostname }) => text(hostname) || '*' },
    {
      title: 'Match',
      cell: ({ match, listeners }) =>
        listeners === undefined ? text(match) : `${text(match)} on ${textsOf(listeners).join(', ')}`,
    },
    { title: 'Middlewares', cell: ({ middlewares }) => lines(textsOf(middlewares)) },
    {
      title: 'Upstreams',
      cell: ({ upstreams, unsecured }) =>
        unsecured === undefined ? lines(textsOf(upstreams)) : `503: ${text(unsecured)}`,
    },
    field('Place', 'at'),
  ];
  return table(rowsOf(value, 'routes'), columns, ({ unsecured }) => unsecured !== undefined);
}

function showUpstreams(value: unknown): Html {
  const columns: readonly Column[] = [
    field('Upstream', 'name'),
    { title: 'Endpoints', cell: (row) => lines(rowsOf(row, 'endpoints').map(endpointText)) },
    field('Strategy', 'strategy', true),
    {
      title: 'Health check',
      cell: ({ healthCheck }) =>
        isRow(healthCheck) ? `${text(healthCheck['path'])} every ${text(healthCheck['intervalMs'])} ms` : '',
    },
    field('Place', 'at'),
  ];
  return table(rowsOf(value, 'upstreams'), columns);
}

function endpointText({ url, weight, healthy }: Row): Html | string {
  const what = `${text(url)}${weight === 1 ? '' : ` weight ${text(weight)}`}`;
  return healthy === false ? html`<span class="bad">${what} unhealthy</span>` : what;
}

function showGenerations(value: unknown): Html {
  const columns: readonly Column[] = [
    field('Generation', 'generation', true),
    { title: 'Time', cell: ({ time }) => timeText(time), short: true },
    field('Result', 'result', true),
    { title: 'What changed', cell: (row) => lines(changeTexts(row)) },
    { title: 'Rollback', cell: ({ restorable }) => (restorable === true ? 'possible' : ''), short: true },
  ];
  return table([...rowsOf(value, 'generations')].reverse(), columns);
}

function changeTexts(row: Row): readonly string[] {
  const { rollbackOf, added, changed, removed, result } = row;
  if (rollbackOf !== undefined) return [`rollback to ${text(rollbackOf)}`];
  if (result === 'refused') return ['nothing: refused'];
  const changes = rowsOf(row, 'changes').flatMap((change) => [
    `${text(change['change'])} ${text(change['key'])}`,
    ...rowsOf(change, 'fields').map(
      ({ path, from, to }) => `${text(path)}: ${text(JSON.stringify(from))} → ${text(JSON.stringify(to))}`,
    ),
  ]);
  return changes.length > 0
    ? changes
    : [`${text(added)} added, ${text(changed)} changed, ${text(removed)} removed`];
}
