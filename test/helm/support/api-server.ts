import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Cleanup } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { tempDir } from '../../support/temp-dir.ts';

export interface Verdict {
  readonly status: number;
  /** What the API server says to an object that it does not take; empty if it does. */
  readonly message: string;
}

export interface RunningApiServer {
  readonly host: string;
  readonly port: number;
  /** Certificates (PEM) by which it is known. */
  readonly authority: string;
  /** For `kubectl --kubeconfig` and `helm --kubeconfig`: the rights of system:masters. */
  readonly kubeconfig: string;
  /**
   * Asks it to create an object, all but the storing: schemas, CEL rules, admission; unknown fields are refused.
   * @param resources path of its kind below the namespace, such as `/apis/apps/v1:deployments`
   */
  tryCreate(resources: string, namespace: string, object: unknown): Promise<Verdict>;
}

const token = 'of-the-tests';

/** A Kubernetes API server of its own on loopback, without controllers and without a kubelet: objects stay what they are. */
export async function startApiServer(cleanup: Cleanup, program: string): Promise<RunningApiServer> {
  const dir = tempDir(cleanup);
  const [port, storePort, peerPort] = [await freePort(), await freePort(), await freePort()];
  const store = `http://127.0.0.1:${storePort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const accountKey = join(dir, 'account.key');
  writeFileSync(accountKey, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  writeFileSync(join(dir, 'tokens.csv'), `${token},admin,admin,system:masters\n`);
  await start(cleanup, program, [
    ...['etcd', '--data-dir', join(dir, 'etcd'), '--log-level', 'error', '--unsafe-no-fsync'],
    ...['--listen-client-urls', store, '--advertise-client-urls', store],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', `default=${peer}`],
  ]);
  const server = await start(cleanup, program, [
    ...['--etcd-servers', store, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
    ...[
      '--cert-dir',
      join(dir, 'certificates'),
      '--service-cluster-ip-range',
      '10.96.0.0/16,fd00:10:96::/108',
    ],
    ...['--service-account-issuer', 'https://kubernetes.default.svc', '--authorization-mode', 'RBAC'],
    ...['--service-account-key-file', accountKey, '--service-account-signing-key-file', accountKey],
    ...['--token-auth-file', join(dir, 'tokens.csv'), '-v', '0'],
  ]);
  const authorityFile = join(dir, 'certificates', 'apiserver.crt');
  const send = async (method: string, path: string, body?: unknown): Promise<Verdict> => {
    const sent = request({
      ...{ host: '127.0.0.1', port, method, path, ca: readFileSync(authorityFile), agent: false },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      timeout: 20_000,
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
    let text = '';
    for await (const chunk of response) text += chunk.toString();
    const taken = response.statusCode < 300;
    return { status: response.statusCode, message: taken ? '' : messageOf(text) };
  };
  await eventually(
    async () => {
      if (server.process.exitCode !== null) throw new Error(`the API server ended: ${server.said()}`);
      const { status, message } = await send('GET', '/readyz');
      if (status !== 200) throw new Error(message);
    },
    { withinMs: 90_000, everyMs: 200 },
  );
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, JSON.stringify(configOf(`https://127.0.0.1:${port}`, authorityFile)));
  return {
    host: '127.0.0.1',
    port,
    authority: readFileSync(authorityFile, 'utf8'),
    kubeconfig,
    tryCreate(resources, namespace, object) {
      const [group, plural] = resources.split(':');
      const query = 'dryRun=All&fieldValidation=Strict';
      return send('POST', `${group ?? ''}/namespaces/${namespace}/${plural ?? ''}?${query}`, object);
    },
  };
}

/** Ended at the end; what it says is kept for its failure. */
async function start(
  cleanup: Cleanup,
  program: string,
  args: readonly string[],
): Promise<{ readonly process: ChildProcess; said(): string }> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  const exited = once(child, 'exit');
  exited.catch(() => undefined);
  await once(child, 'spawn');
  cleanup.add(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return { process: child, said: () => said };
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text;
  }
}

/** JSON is YAML. */
function configOf(server: string, authority: string): unknown {
  return {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'tests' },
    clusters: [{ name: 'tests', cluster: { server, 'certificate-authority': authority } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'tests', context: { cluster: 'tests', user: 'admin' } }],
  };
}
