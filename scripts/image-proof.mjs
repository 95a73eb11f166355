// Proves the Dockerfile where there is no container engine: runs its steps into an empty directory, and starts the result in it as
// a numeric user other than root, with everything read-only. What the base images bring is put together from this machine: Node 24
// (from the package registry) and the libraries that it is linked to. Exit code 77: not permitted here (needs root on Linux).
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readDockerfile } from './image/read-dockerfile.mjs';

const source = join(dirname(fileURLToPath(import.meta.url)), '..');
const script = join(source, 'scripts', 'image', 'proof.sh');

if (process.platform !== 'linux' || process.getuid() !== 0) skip('needs root on Linux');
const probe = spawnSync('unshare', [
  '--mount',
  '--pid',
  '--fork',
  'sh',
  '-c',
  'mount --make-rprivate / && mount --bind /tmp /tmp',
]);
if (probe.status !== 0) skip(`may not mount: ${probe.error?.message ?? probe.stderr}`);

const work = mkdtempSync(join(tmpdir(), 'mgateway-image-'));
const closes = [];
try {
  await prove();
} finally {
  for (const close of closes.reverse()) close();
  rmSync(work, { recursive: true, force: true });
}

async function prove() {
  const [build, image] = readDockerfile(readFileSync(join(source, 'Dockerfile'), 'utf8'));
  const node = nodeOf(build.base);
  runBuild(build, join(work, 'build'), node);
  const root = join(work, 'root');
  putBase(root, node);
  const started = putImage(image, root, join(work, 'build'), node);
  checkContents(root);
  say(
    `image: ${megabytes(root)} MB (Node ${megabytes(join(root, 'usr/local/bin/node'))}, application ${megabytes(join(root, 'app'))}), before compression`,
  );
  await run(started, root);
}

/** The steps of the first stage, as `docker build` would run them, in a directory that stands for its root. */
function runBuild({ steps }, root, node) {
  let at = root;
  const env = { PATH: `${dirname(node)}:${process.env.PATH}`, HOME: process.env.HOME, CI: 'true' };
  for (const { word, text, words } of steps) {
    const begun = performance.now();
    if (word === 'WORKDIR') mkdirSync((at = join(root, text)), { recursive: true });
    else if (word === 'COPY') copyIn(words, at);
    else if (word === 'RUN')
      execFileSync('sh', ['-ec', text], { cwd: at, env, stdio: ['ignore', 'ignore', 'inherit'] });
    else throw new Error(`${word} is not known in the first stage`);
    say(`${word} ${text} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  }
}

/** From the directory of the Dockerfile; a directory's content goes into the target, as COPY has it. */
function copyIn(words, at) {
  const target = join(at, words.at(-1));
  for (const word of words.slice(0, -1)) {
    const from = join(source, word);
    const into =
      statSync(from).isDirectory() || !words.at(-1).endsWith('/')
        ? target
        : join(target, word.split('/').at(-1));
    cpSync(from, into, { recursive: true });
  }
}

/** What a base of glibc and libstdc++ holds, as far as this program needs it. */
function putBase(root, node) {
  const libraries = [...execFileSync('ldd', [node], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)];
  for (const [, path] of libraries) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(realpathSync(path), join(root, path));
  }
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
}

function putImage({ steps }, root, build, node) {
  const image = { env: { PATH: '/usr/local/bin' }, user: '0', health: [], command: [], directory: '/' };
  for (const { word, text, flags, words } of steps) {
    if (word === 'COPY') {
      if (flags.from !== 'build') throw new Error('the image holds only what the first stage made');
      const [from, to] = words;
      // Node itself is the base image's.
      if (from === '/usr/local/bin/node') cpSync(node, join(root, to), { dereference: true });
      else cpSync(join(build, from), join(root, to), { recursive: true, verbatimSymlinks: true });
    } else if (word === 'ENV') {
      const [, name, value] = /^(\w+)=(.*)$/.exec(text);
      image.env[name] = value;
    } else if (word === 'USER') image.user = text;
    else if (word === 'WORKDIR') image.directory = text;
    else if (word === 'HEALTHCHECK') image.health = words;
    else if (word === 'ENTRYPOINT') image.command = [...words];
    else if (word === 'CMD') image.command.push(...words);
    else if (!['ARG', 'LABEL', 'EXPOSE'].includes(word))
      throw new Error(`${word} needs a shell in the image`);
  }
  return image;
}

function checkContents(root) {
  const paths = readdirSync(root, { recursive: true }).map(String);
  const names = new Set(paths.map((path) => path.split('/').at(-1)));
  for (const name of ['sh', 'bash', 'npm', 'npx', 'tsc', 'typescript', 'mocha', 'eslint']) {
    if (names.has(name)) throw new Error(`the image holds ${name}`);
  }
  say(`${paths.length} entries; no shell, no npm, no build tool`);
}

async function run({ env, user, health, command }, root) {
  if (!/^[1-9]\d*:[1-9]\d*$/.test(user)) throw new Error(`USER ${user}: not a number other than root's`);
  const upstream = createServer((_request, response) => response.end('from the upstream'));
  upstream.listen(0, '127.0.0.1');
  closes.push(() => upstream.close());
  await once(upstream, 'listening');
  const port = await freePort();
  const config = join(work, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'routes.yaml'), resources(port, upstream.address().port));
  for (const path of [work, config]) chmodSync(path, 0o755);
  // As an emptyDir that belongs to the pod's group.
  const state = join(work, 'state');
  mkdirSync(state);
  chownSync(state, 0, Number(user.split(':')[1]));
  chmodSync(state, 0o2775);

  const enter = (words) => ['--mount', '--pid', '--fork', '--kill-child=SIGTERM', 'sh', script, ...words];
  const options = {
    env: { ...env, PATH: process.env.PATH, ROOT: root, CONFIG: config, STATE: state, USER_ID: user },
  };
  const admin = await freePort();
  const probes = await freePort();
  // The ports of the image may be taken on this machine; all else is as it stands there.
  const words = [
    ...command.filter((word, i) => word !== '--probes' && command[i - 1] !== '--probes'),
    ...[
      '--state-dir',
      '/var/lib/mgateway',
      '--admin',
      `127.0.0.1:${admin}`,
      '--probes',
      `127.0.0.1:${probes}`,
      '--shutdown-delay',
      '0s',
    ],
  ];
  const program = spawn('unshare', enter(words), { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(program, 'exit');
  closes.push(() => program.exitCode === null && program.kill('SIGTERM'));

  const until = Date.now() + 30_000;
  let answer;
  while ((answer = await ask(port, '/hello')).status !== 200) {
    if (Date.now() > until || program.exitCode !== null) throw new Error(`no answer: ${answer.body}`);
    await wait(100);
  }
  if (answer.body !== 'from the upstream') throw new Error(`answered ${answer.body}`);
  say('a request went through it to an upstream and back');

  const owners = execFileSync('sh', ['-c', `cat /proc/${program.pid}/task/*/children`], { encoding: 'utf8' });
  const inner = Number(owners.trim().split(/\s+/)[0]);
  const status = readFileSync(`/proc/${inner}/status`, 'utf8');
  const [, uid] = /^Uid:\s+(\d+)/m.exec(status);
  if (uid !== user.split(':')[0]) throw new Error(`it runs as ${uid}, not as ${user}`);
  const healthy = spawnSync('unshare', enter([...health, '--admin', `127.0.0.1:${admin}`]), options);
  if (healthy.status !== 0) throw new Error(`the health check failed: ${healthy.stderr}`);
  while (!existsSync(join(state, 'last-good.json'))) {
    if (Date.now() > until) throw new Error('it has kept no state');
    await wait(100);
  }
  const writing = `for (const at of ['/x', '/app/x', '/tmp', '/etc/mgateway/resources/x', '/var/lib/x']) try { require('fs').writeFileSync(at, ''); process.exit(1) } catch {}`;
  const refused = spawnSync('unshare', enter(['/usr/local/bin/node', '-e', writing]), options);
  if (refused.status !== 0) throw new Error(`something could be written: ${refused.stderr}`);
  say(`it runs as user ${uid}, is healthy by its own check, and can write its state and nothing else`);

  process.kill(inner, 'SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`ended with ${code} after SIGTERM`);
  say('it ended with 0 after SIGTERM');
}

function resources(port, upstreamPort) {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Gateway
metadata: { name: proof }
spec: { listeners: [{ name: http, port: ${port}, address: 127.0.0.1 }] }
---
apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata: { name: hello }
spec:
  matches: [{ path: { prefix: /hello } }]
  upstreams: [{ url: 'http://127.0.0.1:${upstreamPort}' }]
`;
}

function ask(port, path) {
  return new Promise((answer) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 5000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        answer({ status: response.statusCode, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', (error) => answer({ status: 0, body: error.message }));
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** The Node of the first stage's base image, by its major number. */
function nodeOf(base) {
  const [, major] = /^node:(\d+)/.exec(base);
  const path = execFileSync('npx', ['-y', '-p', `node@${major}`, 'node', '-p', 'process.execPath'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return resolve(path.trim());
}

function megabytes(path) {
  return (Number(execFileSync('du', ['-sb', path], { encoding: 'utf8' }).split('\t')[0]) / 1e6).toFixed(1);
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function skip(reason) {
  process.stdout.write(`image-proof: SKIPPED: ${reason}\n`);
  process.exit(77);
}
