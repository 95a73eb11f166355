// Writes what follows from schemas/: the types of resources, the field reference, the CRDs, and the values schema of the
// chart; and from the comments in the chart's values.yaml its README.
// `--check` writes nothing and fails if a file is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import 'ts-blank-space/register';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { loadSchemas } = await import('../src/controller/parse/load-schemas.ts');
const { renderTypes } = await import('./generate/types.mjs');
const { renderReference } = await import('./generate/reference.mjs');
const { renderCrds } = await import('./generate/crds.mjs');
const { renderValuesSchema } = await import('./generate/values-schema.mjs');
const { renderChartReadme } = await import('./generate/chart-readme.mjs');

const schemas = loadSchemas();
const files = {
  'src/resources/generated.ts': renderTypes(schemas),
  'docs/configuration.md': renderReference(schemas),
  ...renderCrds(schemas),
  'helm/mgateway/values.schema.json': renderValuesSchema(schemas),
  'helm/mgateway/README.md': renderChartReadme(
    read('scripts/generate/chart-readme.md'),
    read('helm/mgateway/values.yaml'),
  ),
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale++;
  if (check) {
    process.stderr.write(`${name} does not follow from its sources: run \`npm run generate\`\n`);
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`wrote ${name}\n`);
  }
}
process.exitCode = check && stale > 0 ? 1 : 0;

function read(name) {
  return readFileSync(join(root, name), 'utf8');
}
