import type { Report } from './report.ts';
import { numberText } from './table.ts';

const barHeight = 22;
const gap = 8;
const labelWidth = 150;
const plotWidth = 480;
const top = 44;

/** Bars of the column that the report names, in the order of its rows; undefined: it names none. */
export function renderChart({ title, columns, rows, chart }: Report): string | undefined {
  const column = columns.find(({ key }) => key === chart);
  if (column === undefined) return undefined;
  const bars = rows.flatMap(({ name, figures }) => {
    const value = figures[column.key];
    return value === undefined || !Number.isFinite(value) ? [] : [{ name, value }];
  });
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const height = top + bars.length * (barHeight + gap) + gap;
  const drawn = bars.map(({ name, value }, i) => {
    const y = top + i * (barHeight + gap);
    const width = Math.max(1, (value / most) * plotWidth).toFixed(1);
    const colour = name.startsWith('mgateway') ? '#1f6feb' : '#9aa4b2';
    return `  <text x="${labelWidth - 8}" y="${y + 16}" text-anchor="end">${escape(name)}</text>
  <rect x="${labelWidth}" y="${y}" width="${width}" height="${barHeight}" fill="${colour}"/>
  <text x="${labelWidth + Number(width) + 6}" y="${y + 16}">${numberText(value, column.digits)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${labelWidth + plotWidth + 80}" height="${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1c2128">
  <rect width="100%" height="100%" fill="#ffffff"/>
  <text x="12" y="20" font-size="15" font-weight="600">${escape(title)}</text>
  <text x="12" y="36" font-size="11">${escape(column.title)}</text>
${drawn.join('\n')}
</svg>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
