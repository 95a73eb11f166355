import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChart } from './chart.ts';
import type { Machine } from './machine.ts';
import type { Report } from './report.ts';
import { renderTable } from './table.ts';

/** Writes NAME.json, NAME.md and, if it has a chart, NAME.svg. */
export function writeReport(folder: string, report: Report, machine: Machine): void {
  mkdirSync(folder, { recursive: true });
  const at = new Date().toISOString();
  writeFileSync(
    join(folder, `${report.name}.json`),
    `${JSON.stringify({ at, machine, ...report }, undefined, 2)}\n`,
  );
  writeFileSync(join(folder, `${report.name}.md`), renderTable(report));
  const chart = renderChart(report);
  if (chart !== undefined) writeFileSync(join(folder, `${report.name}.svg`), chart);
}
