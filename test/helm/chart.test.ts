import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'yaml';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import { startProgram } from '../support/program.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';
import {
  chartFolder,
  gatewayOf,
  podOf,
  projectedFiles,
  render,
  template,
  valuesFiles,
  writeAsKubelet,
} from './support/chart.ts';
import type { KubeObject } from './support/chart.ts';
import { needTool, runTool } from './support/tools.ts';

const resourcesAt = '/etc/mgateway/resources';

describe('helm/mgateway', () => {
  const helm = needTool('helm');
  const unittest = needTool('helm-unittest');
  const cleanup = cleanupAfterEach();

  it('passes helm lint --strict with every values file', function () {
    this.timeout(120_000);
    for (const file of valuesFiles()) {
      const { code, stdout } = runTool(helm, [
        ...['lint', '--strict', chartFolder, '--values', file],
        ...['--kube-version', '1.34.0'],
      ]);
      expect(code, `${basename(file)}: ${stdout}`).to.equal(0);
    }
  });

  it('passes its suites for helm-unittest', function () {
    this.timeout(60_000);
    const { code, stdout, stderr } = runTool(unittest, ['--strict', chartFolder]);
    expect(code, stdout + stderr).to.equal(0);
    expect(stdout).to.match(/^Tests: +[1-9]\d+ passed/m);
  });

  it('makes pods of the restricted standard, without a token, with whole directories mounted', () => {
    for (const [name, objects] of renderAll(helm)) {
      for (const object of objects) {
        const pod = podOf(object);
        if (pod === undefined) continue;
        const own = [...(pod.initContainers ?? []), ...pod.containers].filter((one) =>
          ['gateway', 'validate', 'test', 'fast-sync', 'every-pod'].includes(one.name),
        );
        expect(own, name).not.to.be.empty;
        const isFastSync = object.metadata.labels?.['app.kubernetes.io/component'] === 'fast-sync';
        expect(pod.automountServiceAccountToken, `${name} ${object.kind}`).to.equal(isFastSync);
        expect(pod.securityContext).to.deep.include({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        for (const container of own) {
          expect(container.securityContext).to.deep.equal({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          const mounts = container.volumeMounts ?? [];
          for (const { subPath, name: volume } of mounts) {
            expect(subPath, name).to.be.undefined;
            expect(pod.volumes?.map((one) => one.name)).to.include(volume);
          }
        }
      }
    }
  });

  it('gives the gateway arguments that it takes, and time to drain', async function () {
    this.timeout(120_000);
    for (const [name, objects] of renderAll(helm)) {
      const { pod, container } = gatewayOf(objects);
      expect(container.args).to.include('--admin=127.0.0.1:9901');
      expect(container.args).to.include('--probes=0.0.0.0:9902');
      const program = startProgram(cleanup, container.args);
      const { code } = await program.exited;
      // Understood; only the directories are not on this machine.
      expect(program.stderr(), name).to.include('there is no such file or directory');
      expect(code, name).to.equal(1);
      expect(pod.terminationGracePeriodSeconds).to.be.above(0);
    }
  });

  it('gives the gateway files of the hash that the chart tells, swapped as the kubelet does', async () => {
    const upstream = await startUpstream(cleanup, 'behind');
    const port = await freePort();
    const at = (names: readonly string[]): readonly KubeObject[] =>
      render(helm, {
        values: {
          ports: { http: { containerPort: port } },
          config: {
            shards: 4,
            resources: [gateway(port), ...names.map((name) => route(name, upstream.url))],
          },
        },
      });
    const dir = tempDir(cleanup);
    const first = at(['one', 'two', 'three', 'naïve-“quoted”'.replaceAll(/[^a-z-]/g, '')]);
    writeAsKubelet(dir, filesOf(first), 1);
    const running = await startGateway(cleanup, { dir, port });
    expect(await servedHash(running.admin)).to.equal(toldHash(first));
    expect((await request(`${running.url}/two`)).body).to.equal('behind');

    const second = at(['one', 'three', 'four']);
    expect(toldHash(second)).not.to.equal(toldHash(first));
    writeAsKubelet(dir, filesOf(second), 2);
    await eventually(async () => (await servedHash(running.admin)) === toldHash(second));
    expect((await request(`${running.url}/four`)).body).to.equal('behind');
    expect((await request(`${running.url}/two`)).status).to.equal(404);
  });

  it('keeps every resource as it was written, in ConfigMaps that fit, each in the same one after an edit', function () {
    this.timeout(120_000);
    const text = fc.string({ maxLength: 40, unit: 'grapheme' });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/), { minLength: 1, maxLength: 20 }),
        text,
        fc.constantFrom(0, 1, 3, 8),
        (names, value, shards) => {
          const resources = names.map((name) => {
            const made = route(name, 'http://10.0.0.1:8080');
            return {
              ...made,
              spec: { ...made.spec, middlewares: [{ requestHeaders: { set: { 'x-text': value } } }] },
            };
          });
          const objects = render(helm, { values: { config: { shards, resources } } });
          const files = Object.values(filesOf(objects));
          const read = files.flatMap((file) =>
            file
              .split(/^---$/m)
              .map((document) => parse(document) as unknown)
              .filter((document) => document !== null),
          );
          expect(read).to.have.deep.members(resources);
          expect(toldHash(objects)).to.equal(listingHash(filesOf(objects)));
        },
      ),
      { numRuns: 15 },
    );
  });

  it('spreads 2,000 routes over few ConfigMaps below 1 MiB, the same ones every time', function () {
    this.timeout(120_000);
    const resources = Array.from({ length: 2_000 }, (_, i) => ({
      ...route(`route-${i}`, 'http://10.0.0.1:8080'),
      metadata: { name: `route-${i}`, annotations: { note: 'x'.repeat(400) } },
    }));
    const objects = render(helm, { values: { config: { resources } } });
    const files = Object.entries(filesOf(objects));
    const sizes = files.map(([, file]) => Buffer.byteLength(file));
    expect(files).to.have.length.within(2, 8);
    expect(Math.max(...sizes)).to.be.below(900 * 1024);
    const edited = resources.map((one, i) =>
      i === 7 ? { ...one, spec: { ...one.spec, priority: 1 } } : one,
    );
    const after = filesOf(render(helm, { values: { config: { resources: edited } } }));
    expect(files.filter(([path, file]) => after[path] !== file)).to.have.lengthOf(1);
  });

  it('moves no resource out of a ConfigMap that pods of another number of ConfigMaps hold', () => {
    const names = (shards: number): readonly string[] =>
      render(helm, { values: { config: { shards, resources: [route('a', 'http://10.0.0.1:1')] } } })
        .filter(({ kind }) => kind === 'ConfigMap')
        .map(({ metadata }) => metadata.name);
    const all = [1, 2, 4].flatMap(names);
    // Each number's own, and those of the check before an upgrade.
    expect(new Set(all).size).to.equal(2 * (1 + 2 + 4));
  });

  it('leaves pods alone when routes change, unless told to restart them', () => {
    const pods = (reload: string, name: string): string =>
      JSON.stringify(
        render(helm, {
          values: { config: { reload, resources: [route(name, 'http://10.0.0.1:1')] } },
        }).find(({ kind }) => kind === 'Deployment'),
      );
    expect(pods('hot', 'a')).to.equal(pods('hot', 'b'));
    expect(pods('restart', 'a')).not.to.equal(pods('restart', 'b'));
    expect(pods('restart', 'a')).to.equal(pods('restart', 'a'));
  });

  it('checks a new configuration before anything changes: its ConfigMaps first, then the Job', async () => {
    const objects = render(helm, { files: [join(chartFolder, 'ci', 'every-kind-values.yaml')] });
    const hooks = objects.filter(
      ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'pre-install,pre-upgrade',
    );
    const weight = (object: KubeObject): number =>
      Number(object.metadata.annotations?.['helm.sh/hook-weight']);
    const maps = hooks.filter(({ kind }) => kind === 'ConfigMap');
    const job = hooks.find(({ kind }) => kind === 'Job') as KubeObject;
    expect(maps).to.have.lengthOf(4);
    for (const map of maps) expect(weight(map)).to.be.below(weight(job));
    const pod = podOf(job) as NonNullable<ReturnType<typeof podOf>>;
    const dir = tempDir(cleanup);
    writeAsKubelet(dir, projectedFiles(objects, pod, 'resources'), 1);
    const steps = [...(pod.initContainers ?? []), ...pod.containers];
    expect(steps.map(({ name }) => name)).to.deep.equal(['validate', 'test']);
    for (const { args } of steps) {
      const program = startProgram(
        cleanup,
        args.map((word) => word.replace(resourcesAt, dir)),
      );
      const { code } = await program.exited;
      expect(code, program.output()).to.equal(0);
    }
  });

  it('refuses what cannot be meant, and says where', function () {
    this.timeout(120_000);
    const good = route('a', 'http://10.0.0.1:8080');
    const cases: readonly (readonly [values: unknown, said: RegExp])[] = [
      [{ replica: 3 }, /replica/],
      [{ service: { typ: 'NodePort' } }, /service.*typ/s],
      [
        { config: { resources: [{ ...good, spec: { ...good.spec, upstream: [] } }] } },
        /resources.0.*upstream/s,
      ],
      [
        {
          config: {
            resources: [good, { ...good, spec: { ...good.spec, matches: [{ path: { perfix: '/' } }] } }],
          },
        },
        /resources.1.*matches.0.*perfix/s,
      ],
      [{ config: { resources: [{ ...good, kind: 'Rout' }] } }, /resources.0.*kind/s],
      [{ config: { resources: [good, good] } }, /Route\/default\/a stands there twice/],
      [{ config: { resources: [gateway(8443), good] } }, /no Gateway in config.resources listens on 8080/],
      [{ gateway: { drainTimeout: '5 minutes' } }, /drainTimeout/],
      [{ terminationGracePeriodSeconds: 20 }, /20 s are not longer/],
      [
        { ports: { http: { containerPort: 9901 } }, config: { existingConfigMaps: [{ name: 'a' }] } },
        /taken/,
      ],
      [{ image: { digest: 'sha256:7' } }, /digest/],
      [{ autoscaling: { enabled: true, targetCPUUtilizationPercentage: 0 } }, /autoscaling/],
    ];
    for (const [values, said] of cases) {
      const { code, stderr } = template(helm, { values });
      expect(code, JSON.stringify(values)).not.to.equal(0);
      expect(stderr).to.match(said);
    }
  });

  it('makes a disruption budget only where there is more than one gateway', () => {
    const has = (values: unknown): boolean =>
      render(helm, { values }).some(({ kind }) => kind === 'PodDisruptionBudget');
    expect(has({ replicas: 1 })).to.be.false;
    expect(has({ replicas: 2 })).to.be.true;
    expect(has({ replicas: 1, autoscaling: { enabled: true } })).to.be.true;
    expect(has({ kind: 'DaemonSet' })).to.be.false;
  });

  it('lets nobody but Prometheus and its own tests reach the probes port', () => {
    const objects = render(helm, { files: [join(chartFolder, 'ci', 'network-policy-values.yaml')] });
    const policy = objects.find(({ kind }) => kind === 'NetworkPolicy')?.spec as {
      readonly ingress: readonly {
        readonly ports: readonly { readonly port: number }[];
        readonly from?: readonly unknown[];
      }[];
    };
    const reaching = policy.ingress.filter(({ ports }) => ports.some(({ port }) => port === 9902));
    expect(reaching).to.have.lengthOf(2);
    for (const { from } of reaching) expect(from).not.to.be.empty;
    expect(policy.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).not.to.include(9901);
  });
});

function renderAll(helm: string): readonly (readonly [string, readonly KubeObject[]])[] {
  return valuesFiles().map((file) => [basename(file), render(helm, { files: [file] })]);
}

function filesOf(objects: readonly KubeObject[]): Record<string, string> {
  return projectedFiles(objects, gatewayOf(objects).pod, 'resources');
}

/** What `helm test` waits for. */
function toldHash(objects: readonly KubeObject[]): string | undefined {
  const pod = objects.find(({ kind }) => kind === 'Pod') as KubeObject;
  return podOf(pod)?.containers[0]?.env?.find(({ name }) => name === 'SOURCE_HASH')?.value;
}

async function servedHash(admin: string): Promise<string | undefined> {
  const { body } = await request(`${admin}/metrics`);
  return /^mgateway_config_info\{source_hash="([^"]*)"/m.exec(body)?.[1];
}

/** `sha256sum * | sha256sum`. */
function listingHash(files: Readonly<Record<string, string>>): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const paths = Object.keys(files).sort();
  return hash(paths.map((path) => `${hash(files[path] as string)}  ${path}\n`).join(''));
}

function route(name: string, url: string) {
  return {
    apiVersion: 'mgateway.dev/v1alpha1',
    kind: 'Route',
    metadata: { name },
    spec: { matches: [{ path: { prefix: `/${name}` } }], upstreams: [{ url }] },
  };
}

function gateway(port: number) {
  return {
    apiVersion: 'mgateway.dev/v1alpha1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: { listeners: [{ name: 'http', port, address: '127.0.0.1' }] },
  };
}
