// What `npm start` runs: two demo upstreams and the gateway in front of them, until Ctrl-C.
// `npm start -- --config DIR` serves your own directory instead; all other options go to `mgateway serve`.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startDemoUpstream } from './upstream.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, '..', '..', 'dist', 'main.js');
const args = process.argv.slice(2);
const ownConfig = args.some((arg) => arg === '--config' || arg.startsWith('--config='));

if (ownConfig || process.env.MGATEWAY_CONFIG) await serveOwn();
else await serveDemo();

async function serveOwn() {
  process.exitCode = await serve(args, {}).ended;
}

async function serveDemo() {
  const ports = {
    gateway: portOf('PORT', 8080),
    admin: portOf('ADMIN_PORT', 9901),
    blue: portOf('BLUE_PORT', 9911),
    green: portOf('GREEN_PORT', 9912),
  };
  const upstreams = [await startUpstream('blue', ports.blue), await startUpstream('green', ports.green)];
  const config = configFor(ports);
  const secret = randomBytes(32).toString('hex');
  const admin = `127.0.0.1:${ports.admin}`;
  // One worker: each takes its own turns, and a few calls shall show both upstreams in turn.
  const options = ['--config', config.dir, '--admin', admin, '--shutdown-delay', '0s', '--workers', '1'];
  const gateway = serve([...options, ...args], { QUICKSTART_JWT_SECRET: secret });
  if (await isReady(`http://${admin}/readyz`, gateway)) {
    process.stdout.write(introduce(ports, config.dir, signToken(secret)));
  }
  const code = await gateway.ended;
  if (code !== 0) {
    process.stderr.write(
      `quickstart: other ports: PORT=8088 ADMIN_PORT=9908 npm start (now ${ports.gateway} and ${ports.admin})\n`,
    );
  }
  for (const upstream of upstreams) upstream.close().closeAllConnections();
  config.remove();
  process.exitCode = code;
}

/** @param {string[]} options @param {Record<string, string>} env */
function serve(options, env) {
  const child = spawn(process.execPath, [program, 'serve', ...options], {
    // npm runs this in the package's folder; paths are meant from where the user is.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: { ...process.env, ...env },
    // A channel: should this script be killed, the gateway sees it go and ends.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // A group of its own: a terminal, npm and `timeout` each send Ctrl-C again, and a second one means "at once".
    detached: true,
  });
  let last = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - last > 500) child.kill(signal);
      last = now;
    });
  }
  // npm passes signals to its shell, and not every shell passes them on: see it go instead.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill('SIGTERM');
  }, 500);
  watch.unref();
  const ended = new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
  return { ended };
}

/** False: the gateway ended first. */
async function isReady(url, { ended }) {
  const over = ended.then(() => true);
  for (;;) {
    const ready = fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false, // Not listening yet.
    );
    if (await Promise.race([ready, over.then(() => false)])) return true;
    if (await Promise.race([over, wait(50).then(() => false)])) return false;
  }
}

async function startUpstream(name, port) {
  try {
    return await startDemoUpstream(name, port);
  } catch (error) {
    const variable = `${name.toUpperCase()}_PORT`;
    process.stderr.write(
      error.code === 'EADDRINUSE'
        ? `quickstart: port ${port}, meant for the demo upstream ${name}, is in use; choose another: ${variable}=${port + 10} npm start\n`
        : `quickstart: the demo upstream ${name} cannot listen on port ${port}: ${error.message}\n`,
    );
    process.exit(1);
  }
}

/** The example's own directory, or a copy of it where other ports are wanted. */
function configFor({ gateway, blue, green }) {
  const original = join(here, 'config');
  if (gateway === 8080 && blue === 9911 && green === 9912) return { dir: original, remove: () => {} };
  const dir = mkdtempSync(join(tmpdir(), 'mgateway-quickstart-'));
  cpSync(original, dir, { recursive: true });
  for (const file of readdirSync(dir)) {
    const text = readFileSync(join(dir, file), 'utf8')
      .replace('port: 8080', `port: ${gateway}`)
      .replace('127.0.0.1:9911', `127.0.0.1:${blue}`)
      .replace('127.0.0.1:9912', `127.0.0.1:${green}`);
    writeFileSync(join(dir, file), text);
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

function portOf(variable, fallback) {
  const text = process.env[variable] ?? String(fallback);
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  process.stderr.write(`quickstart: ${variable}=${text} is not a port\n`);
  process.exit(2);
}

/** A token as an identity provider would give it (RFC 7519), good for a day. */
function signToken(secret) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'quickstart', aud: 'demo', sub: 'ada', iat: now, exp: now + 86_400 };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function introduce(ports, dir, token) {
  const gateway = `http://127.0.0.1:${ports.gateway}`;
  const admin = `http://127.0.0.1:${ports.admin}`;
  const path = relative(process.cwd(), dir);
  const routes = join(path.startsWith('..') ? dir : path, 'routes.yaml');
  return `
mgateway is ready: ${gateway} (metrics and status: ${admin})

In turn from two upstreams, blue and green:
  curl ${gateway}/hello

Without a token, 401:
  curl -i ${gateway}/secure

With a token, 200, and the upstream is told who it is:
  curl -i -H "Authorization: Bearer ${token}" ${gateway}/secure

A few times in a row, then 429:
  curl -i ${gateway}/limited

What was counted:
  curl ${admin}/metrics

Change ${routes} (say, mgateway to something else),
save it, and call /hello again with curl -i: it is served at once. Ctrl-C ends all.

`;
}
