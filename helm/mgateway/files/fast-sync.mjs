// Changes an annotation of the gateway's pods: the kubelet then looks at their volumes at once.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

const {
  NAMESPACE,
  SELECTOR,
  REVISION,
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: port,
} = process.env;
const account = process.env.SERVICE_ACCOUNT_DIR ?? '/var/run/secrets/kubernetes.io/serviceaccount';
const ca = readFileSync(`${account}/ca.crt`);
const token = readFileSync(`${account}/token`, 'utf8').trim();
const pods = `/api/v1/namespaces/${NAMESPACE}/pods`;

const { items } = await ask('GET', `${pods}?labelSelector=${encodeURIComponent(SELECTOR)}`);
const value = `${REVISION}-${Date.now()}`;
for (const { metadata } of items) {
  await ask('PATCH', `${pods}/${metadata.name}`, {
    metadata: { annotations: { 'mgateway.dev/synced': value } },
  });
}
console.log(`${items.length} pods annotated`);

function ask(method, path, body) {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    ...(body && { 'content-type': 'application/merge-patch+json' }),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, ca, method, path, headers, timeout: 10_000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        // A pod that has gone meanwhile has nothing to sync.
        const gone = method === 'PATCH' && response.statusCode === 404;
        if (response.statusCode < 300 || gone) resolve(JSON.parse(text));
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer in 10 s`)));
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}
