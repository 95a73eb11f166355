// Writes helm/mgateway/files/dashboard.json from scripts/dashboard/definition.mjs.
// `--check` writes nothing and fails if the file is stale.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderDashboard } from './dashboard/render.mjs';

const name = 'helm/mgateway/files/dashboard.json';
const path = join(dirname(fileURLToPath(import.meta.url)), '..', name);
const text = renderDashboard();
const fresh = existsSync(path) && readFileSync(path, 'utf8') === text;
if (process.argv.includes('--check')) {
  if (!fresh) process.stderr.write(`${name} is stale: run \`node scripts/dashboard.mjs\`\n`);
  process.exitCode = fresh ? 0 : 1;
} else if (!fresh) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  process.stdout.write(`wrote ${name}\n`);
}
