import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Cleanup } from '../support/cleanup.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { chartFolder, podOf, render } from './support/chart.ts';
import type { Container, KubeObject } from './support/chart.ts';
import { needTool } from './support/tools.ts';

describe('scripts of the chart', () => {
  const helm = needTool('helm');
  const openssl = needTool('openssl');
  const cleanup = cleanupAfterEach();

  const containerOf = (kind: string, component: string): Container => {
    const objects = render(helm, { files: [join(chartFolder, 'ci', 'fast-sync-values.yaml')] });
    const object = objects.find(
      (one) => one.kind === kind && one.metadata.labels?.['app.kubernetes.io/component'] === component,
    ) as KubeObject;
    return podOf(object)?.containers[0] as Container;
  };

  describe('helm test', () => {
    const run = (gateway: RunningGateway, probes: number, env: Readonly<Record<string, string>>) => {
      const { command, args } = containerOf('Pod', 'test');
      expect(command?.[0]).to.equal('node');
      const { status, stdout, stderr } = spawnSync(process.execPath, [...(command ?? []).slice(1), ...args], {
        encoding: 'utf8',
        env: {
          PODS: '127.0.0.1',
          PROBES_PORT: String(probes),
          PORTS: String(gateway.port),
          EXPECTED_PODS: '1',
          TIMEOUT_SECONDS: '2',
          ...env,
        },
      });
      return { status, said: stdout + stderr };
    };

    it('passes when every pod has read the configuration, by the hash that is told or by the files', async () => {
      const { gateway, probes } = await start(cleanup);
      const { body } = await request(`${gateway.admin}/metrics`);
      const hash = /source_hash="([0-9a-f]{64})"/.exec(body)?.[1] as string;
      expect(run(gateway, probes, { SOURCE_HASH: hash })).to.deep.include({ status: 0 });
      const byFiles = run(gateway, probes, { DIRECTORIES: gateway.dir });
      expect(byFiles.status, byFiles.said).to.equal(0);
      expect(byFiles.said).to.include(`1 pods serve ${hash}`);
    });

    it('fails, and says why, on another hash, a missing pod, a port without a listener and a refused part', async () => {
      const { gateway, probes } = await start(cleanup);
      const other = run(gateway, probes, { SOURCE_HASH: 'f'.repeat(64) });
      expect(other.status).to.equal(1);
      expect(other.said).to.match(/127\.0\.0\.1 has read [0-9a-f]{64}, not f{64}/);
      const few = run(gateway, probes, { DIRECTORIES: gateway.dir, EXPECTED_PODS: '2' });
      expect(few).to.deep.equal({ status: 1, said: '1 pods instead of 2\n' });
      const deaf = run(gateway, probes, { DIRECTORIES: gateway.dir, PORTS: String(await freePort()) });
      expect(deaf.status).to.equal(1);
      expect(deaf.said).to.include('ECONNREFUSED');
      await gateway.reload(() => {
        gateway.write('bad.yaml', routeDocument('bad', 'upstream: []'));
        gateway.write('good.yaml', routeDocument('good', "upstreams: [{ url: 'http://127.0.0.1:2' }]"));
      });
      const partly = run(gateway, probes, { DIRECTORIES: gateway.dir });
      expect(partly.status).to.equal(1);
      expect(partly.said).to.include('has refused a part of it');
    });
  });

  describe('config.fastSync', () => {
    it('changes an annotation of every pod of the release, by the token and authority of its account', async () => {
      const account = tempDir(cleanup);
      const key = join(account, 'key.pem');
      const ca = join(account, 'ca.crt');
      const made = spawnSync(openssl, [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', ca, '-days', '2'],
        ...['-subj', '/CN=kubernetes', '-addext', 'subjectAltName=IP:127.0.0.1'],
      ]);
      expect(made.status, String(made.stderr)).to.equal(0);
      writeFileSync(join(account, 'token'), 'of-the-account\n');
      const seen: string[] = [];
      const server = createServer({ key: readFileSync(key), cert: readFileSync(ca) }, (incoming, answer) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const { method = '', url = '', headers } = incoming;
          seen.push(`${method} ${url} ${headers['content-type'] ?? ''} ${Buffer.concat(chunks).toString()}`);
          answer.statusCode =
            headers.authorization !== 'Bearer of-the-account' ? 401 : url.endsWith('/gone') ? 404 : 200;
          answer.end(JSON.stringify({ items: ['a', 'gone', 'b'].map((name) => ({ metadata: { name } })) }));
        });
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanup.add(() => server.close());

      const { command, args, env } = containerOf('Job', 'fast-sync');
      const { stdout } = await promisify(execFile)(process.execPath, [...(command ?? []).slice(1), ...args], {
        env: {
          ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value ?? ''])),
          SERVICE_ACCOUNT_DIR: account,
          KUBERNETES_SERVICE_HOST: '127.0.0.1',
          KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
        },
      });
      expect(stdout).to.equal('3 pods annotated\n');
      const [list, ...patches] = seen;
      expect(decodeURIComponent(list as string)).to.match(
        /^GET \/api\/v1\/namespaces\/gateways\/pods\?labelSelector=app.kubernetes.io\/name=mgateway,app.kubernetes.io\/instance=edge,app.kubernetes.io\/component=gateway /,
      );
      expect(patches.map((line) => line.split(' ')[1])).to.deep.equal(
        ['a', 'gone', 'b'].map((name) => `/api/v1/namespaces/gateways/pods/${name}`),
      );
      for (const patch of patches) {
        expect(patch).to.match(
          /application\/merge-patch\+json \{"metadata":\{"annotations":\{"mgateway.dev\/synced":"1-\d+"\}\}\}$/,
        );
      }
    });
  });
});

async function start(cleanup: Cleanup): Promise<{ gateway: RunningGateway; probes: number }> {
  const probes = await freePort();
  const gateway = await startGateway(cleanup, {
    files: { 'a.yaml': routeDocument('a', "upstreams: [{ url: 'http://127.0.0.1:1' }]") },
    args: ['--probes', `127.0.0.1:${probes}`],
  });
  return { gateway, probes };
}
