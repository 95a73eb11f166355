// What `npm publish` would send: everything that a user needs, and nothing else.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
  shell: process.platform === 'win32',
});
const packed = JSON.parse(answer);
const [{ files }] = Array.isArray(packed) ? packed : Object.values(packed);
const paths = files.map(({ path }) => path);

const needed = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  ...Object.values(manifest.bin),
  ...exported(),
];
const problems = [
  ...needed.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
  ...(paths.some((path) => /^schemas\/.+\.json$/.test(path)) ? [] : ['schemas/ is missing']),
  ...paths
    .filter((path) => !/^(dist|schemas)\//.test(path) && !needed.includes(path))
    .map((path) => `${path} does not belong in the package`),
];
for (const problem of problems) process.stderr.write(`package: ${problem}\n`);
if (problems.length === 0) process.stdout.write(`package: ${paths.length} files\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Every file that `exports` names, in whatever depth of conditions. */
function exported(entry = manifest.exports ?? {}) {
  if (typeof entry === 'string') return [entry.replace(/^\.\//, '')];
  return Object.values(entry).flatMap((value) => exported(value));
}
