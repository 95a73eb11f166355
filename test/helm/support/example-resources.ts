import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../support/program.ts';
import { objectsOf, valuesFiles } from './chart.ts';
import type { KubeObject } from './chart.ts';

/** Every resource of the examples, of the values files of the chart and of the plain deployment. */
export function exampleResources(): readonly KubeObject[] {
  const files = [...yamlUnder(join(projectRoot, 'examples')), join(projectRoot, 'manifests', 'routes.yaml')];
  return [
    ...files.flatMap((path) => objectsOf(readFileSync(path, 'utf8'))),
    ...valuesFiles().flatMap((path) => {
      const values = parse(readFileSync(path, 'utf8')) as {
        readonly config?: { readonly resources?: readonly KubeObject[] };
      };
      return values.config?.resources ?? [];
    }),
  ];
}

function yamlUnder(at: string): string[] {
  return readdirSync(at, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(at, name));
}
