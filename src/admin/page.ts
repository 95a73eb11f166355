import { createHash } from 'node:crypto';
import type { Query, QueryName } from './api.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { Reply } from './reply.ts';

const style = `
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td { font-family: ui-monospace, monospace; font-size: 12px; overflow-wrap: anywhere; }
.bad { color: #c22; } p { color: #888; }
`;
const styleHash = createHash('sha256').update(style).digest('base64');
// Whole, because the hash is of every character between the tags.
const styleElement: Html = { html: `<style>${style}</style>` };
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** A page is for a person: the API has the rest. */
const maxRows = 500;
const maxColumns = 10;
const maxCellCharacters = 300;

/** The page `/`: what the API says, as tables; no script, nothing from elsewhere. */
export async function renderPage(query: Query): Promise<Reply> {
  const [status, resources, routes, upstreams, generations] = await Promise.all([
    section('Status', 'status', query, (value) => table([value])),
    section('Resources with problems', 'resources', query, (value) =>
      table(rowsOf(value).filter(hasProblem)),
    ),
    section('Routes', 'routes', query, (value) => table(rowsOf(value))),
    section('Upstreams', 'upstreams', query, (value) => table(rowsOf(value))),
    section('Generations', 'generations', query, (value) => table(rowsOf(value))),
  ]);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>mgateway</title>
        <meta name="viewport" content="width=device-width" />
        ${styleElement}
      </head>
      <body>
        <h1>mgateway</h1>
        ${[status, resources, routes, upstreams, generations]}
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

async function section(
  title: string,
  name: QueryName,
  query: Query,
  show: (value: unknown) => Html,
): Promise<Html> {
  const body = await query(name, {}).then(show, (error: unknown) => {
    return html`<p class="bad">not known: ${error instanceof Error ? error.message : String(error)}</p>`;
  });
  return html`<h2>${title} <a href="/api/v1/${name}">json</a></h2>
    ${body}`;
}

/** The list in an answer: itself, or the first list it holds (`{ items: [...] }`). */
function rowsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  const lists = isRecord(value) ? Object.values(value).filter((entry) => Array.isArray(entry)) : [];
  return (lists[0] as readonly unknown[] | undefined) ?? [];
}

function hasProblem(row: unknown): boolean {
  if (!isRecord(row)) return false;
  const { problems, state, conditions } = row;
  if (Array.isArray(problems) ? problems.length > 0 : typeof problems === 'number' && problems > 0)
    return true;
  if (typeof state === 'string') return state.toLowerCase() !== 'accepted';
  return (
    Array.isArray(conditions) &&
    conditions.some((condition) => isRecord(condition) && isBadCondition(condition))
  );
}

function isBadCondition({ type, status }: Readonly<Record<string, unknown>>): boolean {
  const holds = status === true || status === 'True';
  return type === 'Fallback' ? holds : !holds;
}

function table(rows: readonly unknown[]): Html {
  const records = rows.slice(0, maxRows).map((row) => (isRecord(row) ? row : { value: row }));
  if (records.length === 0) return html`<p>none</p>`;
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))].slice(0, maxColumns);
  const head = columns.map((column) => html`<th>${column}</th>`);
  const body = records.map((record) => {
    const cells = columns.map((column) => html`<td>${cellText(record[column])}</td>`);
    return html`<tr${hasProblem(record) ? html` class="bad"` : ''}>${cells}</tr>\n`;
  });
  const more = rows.length > maxRows ? html`<p>and ${rows.length - maxRows} more</p>` : html``;
  return html`<table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
    ${more}`;
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > maxCellCharacters ? `${text.slice(0, maxCellCharacters)}…` : text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
