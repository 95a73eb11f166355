import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../support/program.ts';

export const rulesFile = join(projectRoot, 'helm', 'mgateway', 'files', 'rules.yaml');
export const dashboardFile = join(projectRoot, 'helm', 'mgateway', 'files', 'dashboard.json');

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly yAxis?: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly transformations?: readonly {
    readonly options: { readonly include: { readonly names: string[] } };
  }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(dashboardFile, 'utf8')) as Dashboard;
}

/** An expression and the labels that its result must carry. */
export interface Question {
  readonly name: string;
  readonly expr: string;
  readonly labels: readonly string[];
}

/** What the dashboard asks with everything chosen, variables and annotations included. */
export function dashboardQuestions({ panels, templating, annotations }: Dashboard): readonly Question[] {
  const ofPanels = panels.flatMap(({ title, targets = [], transformations = [] }) =>
    targets.map(({ expr, legendFormat }) => ({
      name: `${title}: ${legendFormat}`,
      expr: chosen(expr),
      labels: [
        ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
        ...transformations.flatMap(({ options }) => options.include.names),
      ],
    })),
  );
  const ofVariables = templating.list.flatMap(({ name, query }) => {
    if (typeof query === 'string') return [];
    const text = (query as { query: string }).query;
    const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(text) ?? [];
    if (series === undefined || label === undefined) throw new Error(`variable ${name} asks ${text}`);
    return [{ name: `variable ${name}`, expr: chosen(series), labels: [label] }];
  });
  const ofAnnotations = annotations.list.map(({ name, expr }) => ({ name, expr: chosen(expr), labels: [] }));
  return [...ofPanels, ...ofVariables, ...ofAnnotations];
}

/** What runbooks tell to ask: one expression a line. */
export function runbookQuestions(): readonly Question[] {
  const directory = join(projectRoot, 'docs', 'runbooks');
  return readdirSync(directory).flatMap((name) => {
    const blocks = readFileSync(join(directory, name), 'utf8').matchAll(/^```promql\n(.*?)\n```$/gms);
    return [...blocks].flatMap(([, block = '']) =>
      block.split('\n').map((expr) => ({ name, expr, labels: [] })),
    );
  });
}

function chosen(expr: string): string {
  const text = expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll(/\$(namespace|job|instance|route|upstream)\b/g, '.*');
  if (text.includes('$')) throw new Error(`a variable that nobody defines: ${expr}`);
  return text;
}
