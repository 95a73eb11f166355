import type { Report } from './report.ts';
import { isMet } from './report.ts';

/** The report as text that is good to read on a terminal and is a Markdown table too. */
export function renderTable({ title, notes, columns, rows, goals }: Report): string {
  const hasRemarks = rows.some(({ remark }) => remark !== undefined);
  const header = ['', ...columns.map((column) => column.title), ...(hasRemarks ? ['remark'] : [])];
  const cells = rows.map(({ name, figures, remark }) => [
    name,
    ...columns.map(({ key, digits }) => numberText(figures[key], digits)),
    ...(hasRemarks ? [remark ?? ''] : []),
  ]);
  const widths = header.map((text, i) =>
    Math.max(3, text.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const isText = (i: number): boolean => i === 0 || i > columns.length;
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => (isText(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    line(header),
    rule,
    ...cells.map(line),
    '',
    ...goals.map(
      (goal) =>
        `- ${goal.text}: ${numberText(goal.figure, 2)} (goal ${goal.atLeast === true ? '≥' : '≤'} ${goal.limit}): ${isMet(goal) ? 'met' : 'NOT met'}`,
    ),
    ...notes.map((note) => `- ${note}`),
    '',
  ].join('\n');
}

export function numberText(value: number | undefined, digits: number): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?=\.|$))/g, value >= 1e4 ? ',' : '');
}
