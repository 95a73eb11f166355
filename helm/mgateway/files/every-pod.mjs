// Waits until every pod behind a name serves the configuration with the expected hash, is ready and answers on its ports.
// Run by `helm test`; exit code 1 and the reasons when the time is up.
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync, readdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const { PODS, PROBES_PORT, PORTS = '', EXPECTED_PODS, TIMEOUT_SECONDS = '180' } = process.env;
const { SOURCE_HASH, DIRECTORIES = '' } = process.env;
const deadline = Date.now() + Number(TIMEOUT_SECONDS) * 1000;

for (;;) {
  const reasons = await whyNot().catch((error) => [error.message]);
  if (reasons.length === 0) break;
  if (Date.now() > deadline) {
    for (const reason of reasons) console.error(reason);
    process.exit(1);
  }
  await wait(1000);
}

async function whyNot() {
  const expected = SOURCE_HASH || hashOf(DIRECTORIES.split(','));
  const found = await lookup(PODS, { all: true });
  const addresses = [...new Set(found.map(({ address }) => address))];
  if (EXPECTED_PODS && addresses.length !== Number(EXPECTED_PODS)) {
    return [`${addresses.length} pods instead of ${EXPECTED_PODS}`];
  }
  const reasons = (await Promise.all(addresses.map((address) => whyNotPod(address, expected)))).flat();
  if (reasons.length === 0) console.log(`${addresses.length} pods serve ${expected}`);
  return reasons;
}

async function whyNotPod(address, expected) {
  const readiness = await ask(address, PROBES_PORT, '/readyz');
  if (readiness.status !== 200) return [`${address} is not ready: ${readiness.body}`];
  const { body } = await ask(address, PROBES_PORT, '/metrics');
  const [, hash] = /^mgateway_config_info\{[^}]*source_hash="([0-9a-f]*)"/m.exec(body) ?? [];
  if (hash !== expected) return [`${address} has read ${hash}, not ${expected}`];
  const refused = /^mgateway_config_last_reload_successful 1$/m.test(body)
    ? []
    : [`${address} has refused a part of it: see its log`];
  const ports = await Promise.all(PORTS.split(',').map((port) => ask(address, port, '/')));
  return [...refused, ...ports.filter(({ status }) => !status).map(({ body }) => `${address}: ${body}`)];
}

/** Any status is an answer; without one, the body says why. */
function ask(host, port, path) {
  return new Promise((resolve) => {
    const request = get({ host, port, path, agent: false, timeout: 5000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }),
      );
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', (error) =>
      resolve({ status: 0, body: `port ${port}: ${error.message || error.code}` }),
    );
  });
}

/** As the gateway computes it: sha256 of what sha256sum lists, sorted by path. */
function hashOf(directories) {
  const lines = directories.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => !name.startsWith('.') && /\.(ya?ml|json)$/.test(name))
      .map((name) => ({ name, line: `${sha256(readFileSync(join(directory, name)))}  ${name}\n` })),
  );
  lines.sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.line < b.line ? -1 : a.line > b.line ? 1 : 0,
  );
  return sha256(lines.map(({ line }) => line).join(''));
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
