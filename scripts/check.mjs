// The quality gate, `npm run check`. Runs every step even if one fails, and ends with which ones did.
// `npm run check -- lint types` runs only those.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);
const longFileLines = 400;

/** Each step says nothing or little when all is well, and returns whether it is. */
const steps = {
  types: () => runTool('typescript', 'tsc', ['-p', 'tsconfig.test.json']),
  lint: () => runTool('eslint', 'eslint', ['--max-warnings', '0', '.']),
  format: () => runTool('prettier', 'prettier', ['--check', '--log-level', 'warn', '.']),
  boundaries: () => runNode(['scripts/check-boundaries.mjs']),
  unused: () => runTool('knip', 'knip', ['--no-progress', '--no-config-hints']),
  generated: () =>
    [runNode(['scripts/generate.mjs', '--check']), runNode(['scripts/dashboard.mjs', '--check'])].every(
      Boolean,
    ),
  lockfile: checkLockfile,
  package: () => runNode(['scripts/build.mjs']) && runNode(['scripts/check-package.mjs']),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(steps, name));
if (unknown.length > 0) {
  process.stderr.write(
    `check: no step named ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}\n`,
  );
  process.exit(2);
}

const failed = [];
for (const [name, run] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const begun = performance.now();
  process.stdout.write(`── ${name}\n`);
  const good = run();
  if (!good) failed.push(name);
  process.stdout.write(`   ${good ? 'ok' : 'FAILED'} ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
}
reportLongFiles();
process.stdout.write(failed.length === 0 ? 'check: all good\n' : `check: FAILED: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

function runNode(argv) {
  if (!existsSync(join(root, argv[0]))) {
    process.stderr.write(`${argv[0]} does not exist\n`);
    return false;
  }
  return (
    spawnSync(process.execPath, argv, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  );
}

/** A tool's own program, without the shell and without npx. */
function runTool(packageName, binary, argv) {
  const manifestPath = join(root, 'node_modules', packageName, 'package.json');
  const { bin } = require(manifestPath);
  return runNode([join('node_modules', packageName, typeof bin === 'string' ? bin : bin[binary]), ...argv]);
}

/** The lockfile is the same wherever it was made, and nothing in it runs or downloads while it is installed. */
function checkLockfile() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const problems = Object.entries(packages).flatMap(([path, entry]) => [
    ...(entry.resolved && !entry.link ? [`${path}: has a \`resolved\` address`] : []),
    ...(entry.hasInstallScript && !entry.optional ? [`${path}: has an install script`] : []),
    ...(path !== '' && !entry.link && !entry.integrity ? [`${path}: has no integrity hash`] : []),
  ]);
  for (const problem of problems) process.stderr.write(`package-lock.json: ${problem}\n`);
  return problems.length === 0;
}

/** A file that has grown long is worth a look, not a red build. */
function reportLongFiles() {
  for (const name of readdirSync(join(root, 'src'), { recursive: true }).map(String).sort()) {
    if (!name.endsWith('.ts') || name === join('resources', 'generated.ts')) continue;
    const lines = readFileSync(join(root, 'src', name), 'utf8').split('\n').length - 1;
    if (lines > longFileLines) {
      process.stdout.write(
        `warning: src/${name} has ${lines} lines; over ${longFileLines} it hides its structure\n`,
      );
    }
  }
}
