// Who may import whom. The table is the rule; scripts/check-boundaries.mjs proves that each rule fires.
// Type-only imports count: a type ties two rooms together as firmly as a call does.

/** Rooms of src/ and the rooms each may import besides itself. */
export const rooms = {
  resources: [],
  snapshot: [],
  routing: ['snapshot'],
  middleware: ['snapshot', 'routing'],
  simulation: ['snapshot', 'routing', 'middleware'],
  diff: ['snapshot', 'routing', 'middleware', 'simulation'],
  telemetry: ['snapshot'],
  health: ['snapshot', 'telemetry'],
  keys: ['snapshot', 'telemetry'],
  controller: ['resources', 'snapshot', 'routing', 'middleware', 'simulation', 'diff', 'telemetry'],
  dataplane: ['snapshot', 'routing', 'middleware', 'telemetry'],
  shadow: ['snapshot', 'routing', 'middleware', 'simulation', 'diff', 'telemetry', 'controller'],
  supervisor: ['snapshot', 'telemetry', 'health', 'keys', 'middleware'],
  admin: [
    'resources',
    'snapshot',
    'routing',
    'middleware',
    'simulation',
    'diff',
    'telemetry',
    'health',
    'keys',
    'controller',
    'dataplane',
    'shadow',
    'supervisor',
    'cli',
  ],
  cli: [
    'resources',
    'snapshot',
    'routing',
    'middleware',
    'simulation',
    'diff',
    'telemetry',
    'health',
    'keys',
    'controller',
    'dataplane',
    'shadow',
    'supervisor',
    'admin',
  ],
};

/** Files of src/ that are no room. Nothing may import main.ts, threads.ts only gateway.ts, and that only the command that serves. */
export const edges = ['main.ts', 'gateway.ts', 'threads.ts'];

/** npm packages that stay where their job is, so that each can be replaced in one place. */
export const packageHomes = {
  chokidar: '^src/controller/',
  yaml: '^src/controller/',
  ajv: '^src/controller/',
  jose: '^src/(middleware/jwt[^/]*(/|$)|keys/)',
  re2js: '^src/routing/',
  'http-proxy': '^src/dataplane/proxy/upgrade\\.ts$',
  winston: '^src/telemetry/logger\\.ts$',
  'prom-client': '^src/telemetry/[^/]*\\.ts$',
  commander: '^src/cli/',
};

/** Of these even the room has one file only (dependency-cruiser cannot count; check-boundaries.mjs does). */
export const onePlacePackages = ['winston', 'prom-client', 'http-proxy', 're2js'];

/** Data and pure functions: what these could open or wait for belongs to whoever calls them. */
export const pureRooms = ['resources', 'snapshot', 'routing', 'diff'];
export const impureModules = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'net',
  'timers',
  'tls',
  'worker_threads',
];

const anyOf = (names) => `(${names.join('|')})`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'modules that need each other are one module',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'the module cannot be found',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'src-imports-src',
      comment: 'what is published does not depend on tests, benches or scripts',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts|examples|dist)/' },
    },
    {
      name: 'no-unknown-room',
      comment: 'a new folder of src/ needs a line in the table of .dependency-cruiser.js',
      severity: 'error',
      from: { path: `^src/(?!${anyOf(Object.keys(rooms))}/|${anyOf(edges).replaceAll('.', '\\.')}$)` },
      to: {},
    },
    {
      name: 'nothing-imports-an-unknown-room',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: `^src/(?!${anyOf(Object.keys(rooms))}/|${anyOf(edges).replaceAll('.', '\\.')}$)` },
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room}`,
      comment: `${room} imports ${allowed.length === 0 ? 'nothing of ours' : `only ${allowed.join(', ')}`}`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: '^src/cli/serve\\.ts$' },
      to: { path: '^src/', pathNot: `^src/${anyOf([room, ...allowed])}/` },
    })),
    {
      name: 'room-cli-serve',
      comment: 'the command that serves is the one that starts the composition root',
      severity: 'error',
      from: { path: '^src/cli/serve\\.ts$' },
      to: { path: '^src/', pathNot: `^src/(${anyOf(['cli', ...rooms.cli])}/|gateway\\.ts$)` },
    },
    {
      name: 'edge-main',
      comment: 'main.ts is the process edge and knows only the commands',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^src/', pathNot: '^src/cli/' },
    },
    {
      name: 'edge-gateway',
      comment: 'gateway.ts composes the rooms, not the process edge',
      severity: 'error',
      from: { path: '^src/gateway\\.ts$' },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'edge-threads',
      comment: 'threads.ts says how threads are started, not what becomes of them',
      severity: 'error',
      from: { path: '^src/threads\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(snapshot/|supervisor/|telemetry/|cli/settings\\.ts$)' },
    },
    ...Object.entries(packageHomes).map(([name, home]) => ({
      name: `package-${name}`,
      comment: `${name} is imported only in ${home}`,
      severity: 'error',
      from: { path: '^src/', pathNot: home },
      to: { path: `(^|/)node_modules/(@types/)?${name}(/|$)` },
    })),
    {
      name: 'declared-packages',
      comment: 'src imports only what `dependencies` lists',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '(^|/)node_modules/@types/',
      },
    },
    {
      name: 'pure-rooms',
      comment: 'data and pure functions: no sockets, files, timers or threads',
      severity: 'error',
      from: { path: `^src/${anyOf(pureRooms)}/` },
      to: { dependencyTypes: ['core'], path: `^(node:)?${anyOf(impureModules)}(/|$)` },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    detectProcessBuiltinModuleCalls: true,
    doNotFollow: { path: '(^|/)node_modules/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
  },
};
