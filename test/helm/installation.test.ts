import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { projectRoot } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { RunningApiServer } from './support/api-server.ts';
import { chartFolder, podOf, render, valuesFiles } from './support/chart.ts';
import type { KubeObject } from './support/chart.ts';
import { listOf, needCluster } from './support/cluster.ts';
import type { Cluster } from './support/cluster.ts';
import { needFile, needTool, runTool } from './support/tools.ts';

const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

describe('installed into an API server', function () {
  this.timeout(300_000);
  const helm = needTool('helm');
  const operatorCrds = needFile('prometheus-operator-crds.yaml');
  const cleanup = cleanupAfterAll();
  const cluster = needCluster(cleanup);
  const { done, kubectl, namespace } = cluster;

  /** As `kubectl create` of all, but the storing; unknown fields are refused. */
  const tryAll = (at: string, objects: readonly KubeObject[]): void =>
    void done(['create', '--dry-run=server', '--validate=strict', '-n', at, '-f', '-'], listOf(objects));

  before(() => {
    done(['create', '-f', operatorCrds]);
    done(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  });

  it('takes the plain deployment, and a restricted namespace its pods', async () => {
    namespace('plain', restricted);
    done(['apply', '--server-side', '-n', 'plain', '-k', join(projectRoot, 'manifests')]);
    const deployment = JSON.parse(
      done(['get', '-n', 'plain', '-o', 'json', 'deployment', 'mgateway']),
    ) as KubeObject;
    expect(await tryPods(cluster.server, 'plain', [deployment])).to.deep.equal([]);
  });

  it('installs and upgrades the chart with each values file, and a restricted namespace takes its pods', async () => {
    done(['create', '-f', '-'], {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'gvisor' },
      handler: 'gvisor',
    });
    const seen = new Set<string>();
    for (const file of valuesFiles()) {
      const name = basename(file, '-values.yaml');
      // What these add of their own is not restricted: the network of the node, and containers that only stand for some.
      const isRestricted = !['daemonset', 'everything-around'].includes(name);
      namespace(name, isRestricted ? restricted : {}, ['own']);
      const run = async (command: string, more: readonly string[] = []): Promise<void> => {
        const at = ['--kubeconfig', cluster.server.kubeconfig, '--namespace', name];
        // Nobody runs Jobs here: hooks are tried below.
        const { code, stderr } = runTool(helm, [
          ...[command, 'edge', chartFolder, '--values', file, '--no-hooks', ...at, ...more],
        ]);
        expect(code, `${command} ${name}: ${stderr}`).to.equal(0);
        // Said of every headless Service, because of a default.
        const said = stderr.split('\n').filter((line) => !/SessionAffinity is ignored/.test(line));
        expect(said.join('\n'), `${command} ${name}`).to.equal('');
      };
      const rendered = render(helm, { files: [file], values: { namespaceOverride: name } });
      for (const { kind } of rendered) seen.add(kind);
      tryAll(name, rendered);
      await run('install');
      await run('upgrade', ['--set', 'podAnnotations.again=yes']);
      const hooks = rendered.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] !== undefined);
      done(['create', '--validate=strict', '-n', name, '-f', '-'], listOf(hooks));
      expect(await tryPods(cluster.server, name, rendered), name).to.deep.equal([]);
    }
    expect([...seen]).to.include.members(
      'Deployment DaemonSet Service ConfigMap Job Pod Role RoleBinding ServiceAccount NetworkPolicy PodDisruptionBudget HorizontalPodAutoscaler ServiceMonitor PodMonitor PrometheusRule'.split(
        ' ',
      ),
    );
  });

  it('is told of what values pass on to Kubernetes or to the Prometheus operator and neither knows', () => {
    namespace('strange');
    for (const [values, said] of [
      [{ podSecurityContext: { fsGrup: 1 } }, /Deployment.spec.template.spec.securityContext.*fsGrup/],
      [{ autoscaling: { enabled: true, behavior: { scaleUp: { policy: 'Max' } } } }, /scaleUp.*"policy"/],
      [
        { serviceMonitor: { enabled: true, relabelings: [{ action: 'rename' }] } },
        /Unsupported value: "rename"/,
      ],
      [{ podMonitor: { enabled: true, metricRelabelings: [{ label: 'a' }] } }, /metricRelabelings.*"label"/],
      [{ prometheusRule: { enabled: true, additionalGroups: [{ rules: [] }] } }, /spec.groups.*"name"/],
    ] as const) {
      const objects = render(helm, { values: { ...values, namespaceOverride: 'strange' } });
      const { code, stderr } = kubectl(
        ['create', '--dry-run=server', '--validate=strict', '-n', 'strange', '-f', '-'],
        listOf(objects),
      );
      expect(code).not.to.equal(0);
      expect(stderr).to.match(said);
    }
  });

  it('lets the Job of config.fastSync list and patch pods of its namespace, and do nothing else', async () => {
    namespace('fast', {}, ['edge-mgateway']);
    const objects = render(helm, {
      files: [join(chartFolder, 'ci', 'fast-sync-values.yaml')],
      values: { namespaceOverride: 'fast' },
    });
    const mine = objects.filter(
      ({ kind, metadata }) =>
        kind !== 'Job' && metadata.labels?.['app.kubernetes.io/component'] === 'fast-sync',
    );
    expect(mine.map(({ kind }) => kind).sort()).to.deep.equal(['Role', 'RoleBinding', 'ServiceAccount']);
    done(['create', '-f', '-'], listOf(mine));
    const account = 'edge-mgateway-fast-sync';
    const may = (verb: string, what: string, at = 'fast'): boolean =>
      kubectl(['auth', 'can-i', verb, what, '-n', at, `--as=system:serviceaccount:fast:${account}`]).code ===
      0;
    await eventually(() => expect([may('list', 'pods'), may('patch', 'pods')]).to.deep.equal([true, true]));
    for (const [verb, what, at] of [
      ['get', 'pods'],
      ['create', 'pods'],
      ['delete', 'pods'],
      ['create', 'pods/exec'],
      ['get', 'secrets'],
      ['list', 'configmaps'],
      ['patch', 'deployments.apps'],
      ['list', 'pods', 'kube-system'],
    ]) {
      expect(may(verb as string, what as string, at), `${verb} ${what} ${at ?? ''}`).to.equal(false);
    }

    const template = (
      objects.find(({ kind }) => kind === 'Deployment')?.spec as { readonly template: KubeObject }
    ).template;
    const pod = (name: string, of: KubeObject) => ({
      ...{ ...of, apiVersion: 'v1', kind: 'Pod' },
      metadata: { ...of.metadata, name, namespace: 'fast' },
    });
    const other = { ...template, metadata: { name: '', labels: { app: 'other' } } };
    done(['create', '-f', '-'], listOf([pod('one', template), pod('two', template), pod('other', other)]));
    const directory = tempDir(cleanup);
    writeFileSync(join(directory, 'ca.crt'), cluster.server.authority);
    writeFileSync(join(directory, 'token'), done(['create', 'token', '-n', 'fast', account]));
    const job = podOf(
      objects.find(({ kind, metadata }) => kind === 'Job' && metadata.name === account) as KubeObject,
    );
    const {
      command = [],
      args,
      env = [],
    } = job?.containers[0] as NonNullable<typeof job>['containers'][number];
    const { stdout } = await promisify(execFile)(process.execPath, [...command.slice(1), ...args], {
      env: {
        ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? ''])),
        SERVICE_ACCOUNT_DIR: directory,
        KUBERNETES_SERVICE_HOST: cluster.server.host,
        KUBERNETES_SERVICE_PORT: String(cluster.server.port),
      },
    });
    expect(stdout).to.equal('2 pods annotated\n');
    expect(synced(cluster, 'fast')).to.match(/^one 1-\d+\nother \ntwo 1-\d+\n$/);
  });
});

/** What it says to the pods that controllers would make of these objects. */
async function tryPods(
  server: RunningApiServer,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<readonly string[]> {
  const pods = objects.flatMap((object) => {
    const spec = podOf(object);
    return spec === undefined ? [] : [{ name: object.metadata.name, spec }];
  });
  expect(pods).not.to.be.empty;
  const said = await Promise.all(
    pods.map(async ({ name, spec }) => {
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: `${name}-` }, spec };
      return (await server.tryCreate('/api/v1:pods', namespace, pod)).message;
    }),
  );
  return said.filter((message) => message !== '');
}

/** Lines of a pod's name and when the kubelet was last told to look. */
function synced({ done }: Cluster, namespace: string): string {
  const line = '{.metadata.name} {.metadata.annotations.mgateway\\.dev/synced}{"\\n"}';
  return done(['get', 'pods', '-n', namespace, '-o', `jsonpath={range .items[*]}${line}{end}`]);
}
