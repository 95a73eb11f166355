import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Problem } from '../../snapshot/messages.ts';
import { placeOf } from './place.ts';

const rules = [
  { id: 'problem', shortDescription: { text: 'A document or a part of it is not served as it is written.' } },
  { id: 'warning', shortDescription: { text: 'It is served, but hardly as it was meant.' } },
] as const;

/** SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change. */
export function renderSarif(
  problems: readonly Problem[],
  warnings: readonly Problem[],
  version: string,
): string {
  const report = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'mgateway', version, rules } },
        columnKind: 'utf16CodeUnits',
        results: [
          ...problems.map((problem) => result(problem, 'problem', 'error')),
          ...warnings.map((problem) => result(problem, 'warning', 'warning')),
        ],
      },
    ],
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function result(
  { at, path, message, hint }: Problem,
  ruleId: (typeof rules)[number]['id'],
  level: 'error' | 'warning',
): object {
  const { file, line, column } = placeOf(at);
  const text = `${path === '' ? '' : `${path}: `}${message}${hint === undefined ? '' : ` (${hint})`}`;
  const region = line === undefined ? {} : { region: { startLine: line, startColumn: column ?? 1 } };
  return {
    ruleId,
    ruleIndex: rules.findIndex(({ id }) => id === ruleId),
    level,
    message: { text },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }],
  };
}

function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/');
}
