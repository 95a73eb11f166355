// Writes what follows from schemas/: the types of resources and the field reference.
// `--check` writes nothing and fails if a file is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import 'ts-blank-space/register';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { loadSchemas } = await import('../src/controller/parse/load-schemas.ts');
const { renderTypes } = await import('./generate/types.mjs');
const { renderReference } = await import('./generate/reference.mjs');

const schemas = loadSchemas();
const files = {
  'src/resources/generated.ts': renderTypes(schemas),
  'docs/configuration.md': renderReference(schemas),
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale++;
  if (check) {
    process.stderr.write(`${name} does not follow from schemas/: run \`npm run generate\`\n`);
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`wrote ${name}\n`);
  }
}
process.exitCode = check && stale > 0 ? 1 : 0;
