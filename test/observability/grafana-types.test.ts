import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { projectRoot } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { needFile } from '../helm/support/tools.ts';
import { dashboardFile } from './expressions.ts';

interface TypedPanel {
  readonly type: string;
  readonly title: string;
  readonly options?: unknown;
  readonly fieldConfig?: { readonly defaults: { readonly custom?: unknown } };
  readonly targets?: readonly unknown[];
}

interface TypedDashboard {
  readonly panels: readonly TypedPanel[];
  readonly annotations: { readonly list: readonly Record<string, unknown>[] };
  readonly templating: { readonly list: readonly Record<string, unknown>[] };
}

/** Enums are written as their values in JSON. */
const head = `type Plain<T> = T extends string ? \`\${T}\` : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer U)[] ? Plain<U>[] : T extends Function ? T
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
`;

describe("the dashboard by Grafana's own types", function () {
  this.timeout(120_000);
  const packages = dirname(dirname(dirname(needFile('grafana/node_modules/@grafana/schema/package.json'))));
  const cleanup = cleanupAfterEach();
  const read = (): TypedDashboard => JSON.parse(readFileSync(dashboardFile, 'utf8')) as TypedDashboard;

  const check = (dashboard: TypedDashboard): string => {
    const dir = tempDir(cleanup);
    symlinkSync(packages, join(dir, 'node_modules'));
    writeFileSync(join(dir, 'dashboard.ts'), declarations(dashboard));
    const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = spawnSync(
      process.execPath,
      [
        ...[tsc, '--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig'],
        ...['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022', 'dashboard.ts'],
      ],
      { cwd: dir, encoding: 'utf8' },
    );
    return stdout;
  };

  it('says nothing that Grafana does not know, and leaves out nothing that it needs', () => {
    expect(check(read())).to.equal('');
  });

  it('would be told of a misspelt word', () => {
    const text = readFileSync(dashboardFile, 'utf8').replace('"graphMode"', '"grafMode"');
    expect(check(JSON.parse(text) as TypedDashboard)).to.include('grafMode');
  });
});

/** Literals, each with the type that it must have: in a literal a word too many is an error. */
function declarations({ annotations, templating, ...dashboard }: TypedDashboard): string {
  const modules = ['stat', 'timeseries', 'heatmap', 'table'].map(
    (type) => `import type * as ${type} from ${typesOf(`composable/${type}/panelcfg`)};`,
  );
  const known = {
    ...dashboard,
    // Words of the Prometheus data source, not of Grafana.
    annotations: { list: annotations.list.map(({ expr: _e, step: _s, titleFormat: _t, ...rest }) => rest) },
    // What the editor shows; not in the types, but in every dashboard that Grafana exports.
    templating: { list: templating.list.map(({ definition: _d, ...rest }) => rest) },
  };
  const values = dashboard.panels
    .filter(({ type }) => type !== 'row')
    .flatMap(({ type, options, fieldConfig, targets = [] }) => [
      [`Plain<${type}.Options>`, options],
      ...(fieldConfig?.defaults.custom === undefined
        ? []
        : [[`Plain<${type}.FieldConfig>`, fieldConfig.defaults.custom]]),
      ...targets.map((target) => ["Plain<Omit<Dataquery, '_implementsDataqueryVariant'>>", target]),
    ]);
  return [
    `import type { Dashboard } from ${typesOf('dashboard')};`,
    "import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';",
    ...modules,
    head,
    ...[['Plain<Dashboard>', known], ...values].map(
      ([type, value], index) =>
        `export const value${index}: ${String(type)} = ${JSON.stringify(value, null, 1)};`,
    ),
  ].join('\n');
}

function typesOf(path: string): string {
  return `'./node_modules/@grafana/schema/dist/types/raw/${path}/x/types.gen'`;
}
