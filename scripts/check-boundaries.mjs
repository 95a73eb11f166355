// Import directions and cycles: first proves on a throw-away tree that every rule fires, on value, type-only
// and dynamic imports, and only where it should; then looks at src. Finding no modules is a failure too.
import { cruise } from 'dependency-cruiser';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import config, {
  edges,
  impureModules,
  onePlacePackages,
  packageHomes,
  pureRooms,
  rooms,
} from '../.dependency-cruiser.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const problems = [...(await proveRules()), ...(await checkSources())];
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function checkSources() {
  const { violations, modules } = await findViolations(root);
  const files = readdirSync(join(root, 'src'), { recursive: true })
    .map((path) => `src/${path.toString().replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'));
  const unseen = files.filter((path) => !modules.has(path));
  const missing =
    files.length === 0
      ? ['src: no modules found, so nothing was checked']
      : unseen.map((path) => `${path}: not seen by dependency-cruiser, so not checked`);
  if (missing.length === 0) process.stdout.write(`boundaries: ${files.length} modules of src looked at\n`);
  return [
    ...missing,
    ...violations.map(({ rule, from, to, comment, cycle }) =>
      cycle ? `${from}: ${rule}: ${cycle.join(' → ')}` : `${from}: ${rule}: imports ${to} (${comment})`,
    ),
  ];
}

/** Plants every import that the table forbids, and every one it allows, and compares what is reported. */
async function proveRules() {
  const tree = realpathSync(mkdtempSync(join(tmpdir(), 'mgateway-boundaries-')));
  try {
    const { files, expected } = plant();
    for (const [path, text] of files) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    const { violations } = await findViolations(tree);
    const found = new Set(violations.map(({ rule, from }) => `${rule} at ${from}`));
    const proven = new Set(expected.map((line) => line.split(' ')[0]));
    process.stdout.write(`boundaries: ${proven.size} rules proven on ${expected.length} planted imports\n`);
    return [
      ...expected.filter((line) => !found.has(line)).map((line) => `self-check: does not fire: ${line}`),
      ...[...found]
        .filter((line) => !expected.includes(line))
        .map((line) => `self-check: fires wrongly: ${line}`),
      ...config.forbidden
        .filter(({ name }) => !proven.has(name))
        .map(({ name }) => `self-check: rule ${name} has no planted import that proves it`),
    ];
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function plant() {
  const files = new Map();
  const expected = [];
  const forms = {
    value: (target) => `import { leaf } from '${target}';\nexport const use = leaf;\n`,
    type: (target) => `import type { Leaf } from '${target}';\nexport type Use = Leaf;\n`,
    dynamic: (target) => `export const use = () => import('${target}');\n`,
    reexport: (target) => `export * from '${target}';\n`,
  };
  /** @param {string} from @param {string} target @param {string[]} broken the rules that must fire */
  const plantImport = (from, target, broken, form = 'value') => {
    const local = target.startsWith('src/') || target.startsWith('test/');
    const up = relative(dirname(from), '.').replaceAll('\\', '/');
    files.set(from, forms[form](local ? `${up}/${target}` : target));
    for (const rule of broken) expected.push(`${rule} at ${from}`);
  };
  const plantPackage = (name) => {
    files.set(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
    );
    files.set(`node_modules/${name}/index.js`, 'export const leaf = 1;\n');
  };
  const leaf = 'export const leaf = 1;\nexport type Leaf = number;\n';
  const names = Object.keys(rooms);

  for (const room of names) files.set(`src/${room}/leaf.ts`, leaf);
  for (const edge of edges) files.set(`src/${edge}`, leaf);
  for (const form of Object.keys(forms)) {
    for (const room of names) {
      for (const other of names) {
        const broken = room === other || rooms[room].includes(other) ? [] : [`room-${room}`];
        plantImport(`src/${room}/${form}-${other}.ts`, `src/${other}/leaf.ts`, broken, form);
      }
      for (const edge of edges) {
        plantImport(`src/${room}/${form}-edge-${edge}`, `src/${edge}`, [`room-${room}`], form);
      }
    }
  }

  plantImport('src/cli/serve.ts', 'src/gateway.ts', []);
  files.set('src/unknown/leaf.ts', leaf);
  plantImport('src/unknown/first.ts', 'src/snapshot/leaf.ts', ['no-unknown-room']);
  files.set('src/stray.ts', leaf);
  files.set('src/gateway.ts', `${leaf}export * from './main.ts';\nexport * from './stray.ts';\n`);
  expected.push('edge-gateway at src/gateway.ts', 'nothing-imports-an-unknown-room at src/gateway.ts');
  files.set('src/main.ts', `${leaf}export * from './cli/leaf.ts';\nexport * from './routing/leaf.ts';\n`);
  expected.push('edge-main at src/main.ts');
  plantImport('src/threads.ts', 'src/gateway.ts', ['edge-threads']);
  files.set('src/cli/serve.ts', `${files.get('src/cli/serve.ts')}export * from '../main.ts';\n`);
  expected.push('room-cli-serve at src/cli/serve.ts');

  files.set('test/support/leaf.ts', leaf);
  plantImport('src/admin/uses-a-test.ts', 'test/support/leaf.ts', ['src-imports-src']);
  plantImport('src/admin/unresolved.ts', 'src/admin/nowhere.ts', ['no-unresolved']);

  files.set('src/health/round.ts', "import type { B } from './about.ts';\nexport type A = B | 1;\n");
  files.set('src/health/about.ts', "import type { A } from './round.ts';\nexport type B = A[];\n");
  expected.push('no-cycles at src/health/about.ts'); // each cycle is reported once

  const homes = {
    jose: ['src/middleware/jwt.ts', 'src/middleware/jwt-keys.ts', 'src/keys/jwks.ts'],
    re2js: ['src/routing/regex.ts'],
    'http-proxy': ['src/dataplane/proxy/upgrade.ts'],
    winston: ['src/telemetry/logger.ts'],
    'prom-client': ['src/telemetry/exposition.ts'],
    commander: ['src/cli/program.ts'],
  };
  for (const name of Object.keys(packageHomes)) {
    plantPackage(name);
    for (const home of homes[name] ?? [`src/controller/uses-${name}.ts`]) plantImport(home, name, []);
    for (const form of Object.keys(forms)) {
      plantImport(`src/dataplane/${form}-package-${name}.ts`, name, [`package-${name}`], form);
    }
  }
  plantPackage('only-for-tests');
  plantPackage('undeclared');
  plantImport('src/admin/uses-a-dev-package.ts', 'only-for-tests', ['declared-packages']);
  plantImport('src/admin/uses-an-undeclared-package.ts', 'undeclared', ['declared-packages']);
  files.set(
    'package.json',
    JSON.stringify({
      name: 'planted',
      type: 'module',
      dependencies: Object.fromEntries(Object.keys(packageHomes).map((name) => [name, '1.0.0'])),
      devDependencies: { 'only-for-tests': '1.0.0' },
    }),
  );

  for (const room of pureRooms) {
    for (const name of impureModules) {
      plantImport(`src/${room}/opens-${name}.ts`, `node:${name}`, ['pure-rooms']);
    }
    plantImport(`src/${room}/computes.ts`, 'node:path', []);
  }
  plantImport('src/dataplane/opens-a-socket.ts', 'node:net', []);

  plantImport('src/telemetry/second-exposition.ts', 'prom-client', ['one-place-prom-client']);
  expected.push('one-place-prom-client at src/telemetry/exposition.ts');
  plantImport('src/routing/second-regex.ts', 're2js', ['one-place-re2js']);
  expected.push('one-place-re2js at src/routing/regex.ts');

  return { files, expected };
}

/** @param {string} baseDir */
async function findViolations(baseDir) {
  const { output } = await cruise(
    ['src'],
    { ...config.options, ruleSet: { forbidden: config.forbidden }, validate: true, baseDir },
    config.options.enhancedResolveOptions,
  );
  const comments = new Map(config.forbidden.map(({ name, comment }) => [name, comment ?? name]));
  return {
    modules: new Set(output.modules.map(({ source }) => source)),
    violations: [
      ...output.summary.violations.map(({ rule, from, to, cycle }) => ({
        rule: rule.name,
        from,
        to,
        cycle: cycle?.map(({ name }) => name),
        comment: comments.get(rule.name),
      })),
      ...onePlacePackages.flatMap((name) => findSpread(name, output.modules)),
    ],
  };
}

/** A package that belongs in one file and is imported, within its home, by several. */
function findSpread(name, modules) {
  const home = new RegExp(packageHomes[name]);
  const target = new RegExp(`(^|/)node_modules/(@types/)?${name}/`);
  const importers = modules
    .filter(
      ({ source, dependencies }) =>
        home.test(source) && dependencies.some(({ resolved }) => target.test(resolved)),
    )
    .map(({ source }) => source);
  if (importers.length < 2) return [];
  const comment = `one file only, but imported by ${importers.join(', ')}`;
  return importers.map((from) => ({ rule: `one-place-${name}`, from, to: name, comment }));
}
