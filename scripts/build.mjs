// Builds src into dist. Compiles beside dist and then moves file by file, so that a running program or
// a test never sees a half-written file, and removes what no source stands behind any more.
// `--force` publishes although types do not hold, for work in progress; the exit code still tells.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const staging = mkdtempSync(join(root, '.dist-'));
let failed;
try {
  const compiled = spawnSync(process.execPath, [tsc, '-p', root, '--outDir', staging], {
    cwd: root,
    stdio: 'inherit',
  });
  failed = compiled.status !== 0;
  await refuseOldNode();
  if (!failed || process.argv.includes('--force')) {
    await writeSchemas();
    publish();
  }
} finally {
  rmSync(staging, { recursive: true, force: true });
}
if (failed) {
  process.stderr.write('build: the sources do not compile (without --force, dist is left as it was)\n');
  process.exit(1);
}

/** Said by what says it of the program: otherwise an old Node stumbles over something or other. */
async function refuseOldNode() {
  const entry = join(staging, 'cli', 'node-version.js');
  const { whyTooOld } = existsSync(entry) ? await import(pathToFileURL(entry).href) : {};
  const reason = whyTooOld?.(process.versions.node);
  if (reason === undefined) return;
  process.stderr.write(`${reason}\n`);
  rmSync(staging, { recursive: true, force: true });
  process.exit(1);
}

/** What editors read: schemas/ with everything in its place, in plain JSON Schema. */
async function writeSchemas() {
  const parse = pathToFileURL(join(staging, 'controller', 'parse', '/'));
  const { loadSchemas } = await import(new URL('load-schemas.js', parse).href);
  const { publishAnyKind, publishSchema } = await import(new URL('published-schema.js', parse).href);
  const schemas = loadSchemas();
  const folder = join(staging, 'schemas');
  mkdirSync(folder);
  const write = (name, schema) =>
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(schema, undefined, 2)}\n`);
  write('mgateway', publishAnyKind(schemas));
  for (const [kind, schema] of Object.entries(schemas.kinds)) write(kind, publishSchema(schema));
}

function publish() {
  const built = filesUnder(staging);
  for (const path of built) {
    const from = join(staging, path);
    const to = join(dist, path);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }
  const wanted = new Set(built);
  for (const path of filesUnder(dist)) if (!wanted.has(path)) rmSync(join(dist, path), { force: true });
  const entry = join(dist, 'main.js');
  if (existsSync(entry)) chmodSync(entry, 0o755);
}

/** @param {string} folder */
function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
