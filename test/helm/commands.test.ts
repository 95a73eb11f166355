import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { projectRoot } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { chartFolder } from './support/chart.ts';
import type { KubeObject } from './support/chart.ts';
import { listOf, needCluster } from './support/cluster.ts';
import { needFile, needTool, runTool } from './support/tools.ts';

interface Command {
  /** Where it stands. */
  readonly page: string;
  readonly line: string;
}

/** Asked of a kubelet, and there is none: that the pod was found and the words understood is what can be shown. */
const needsKubelet = /^kubectl (-n \S+ )?(logs|exec|port-forward|debug)\b/;
const noKubelet = /does not have a host assigned|not running|timed out waiting|debug container name/;

describe('commands for operators', function () {
  this.timeout(300_000);
  const helm = needTool('helm');
  const kubectl = needTool('kubectl');
  const operatorCrds = needFile('prometheus-operator-crds.yaml');
  const cleanup = cleanupAfterAll();
  const cluster = needCluster(cleanup);

  /** As an operator types it, in a clone of this repository; hooks would wait for Jobs that nobody runs here. */
  const run = (line: string): { readonly code: number | null; readonly said: string } => {
    const bin = tempDir(cleanup);
    symlinkSync(kubectl, join(bin, 'kubectl'));
    symlinkSync(helm, join(bin, 'helm'));
    const words = line
      // What follows reads what a kubelet has: nothing here.
      .replace(/ \| grep .*$/, '')
      .replace(/^helm .*\b(install|upgrade)\b.*$/, '$& --no-hooks')
      .replace(/\b(exec|port-forward)\b/, '$1 --pod-running-timeout=1s')
      // Waits for ever: instead of the shell, so that the end of its time is its end.
      .replace(/^kubectl debug\b/, 'exec $&');
    const { status, stdout, stderr } = spawnSync('sh', ['-c', words], {
      cwd: projectRoot,
      encoding: 'utf8',
      // A container that is to be attached to never begins here.
      timeout: 10_000,
      env: {
        ...process.env,
        PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`,
        KUBECONFIG: cluster.server.kubeconfig,
      },
    });
    return { code: status, said: stdout + stderr };
  };

  before(() => {
    cluster.done(['create', '-f', operatorCrds]);
    cluster.done(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  });

  it('do what the pages say: the chart’s, its notes, the manifests’, docs/kubernetes.md and the runbooks', () => {
    const chart = readFileSync(join(chartFolder, 'README.md'), 'utf8');
    const [, values = ''] = /```yaml\n(# routes\.yaml\n.*?)```/s.exec(chart) ?? [];
    const routes = join(tempDir(cleanup), 'routes.yaml');
    writeFileSync(routes, values);
    const commands = [
      ...commandsOf('helm/mgateway/README.md'),
      ...commandsOf('manifests/README.md'),
      ...commandsOf('docs/kubernetes.md'),
      ...readdirSync(join(projectRoot, 'docs', 'runbooks')).flatMap((name) =>
        commandsOf(join('docs', 'runbooks', name)),
      ),
    ];
    expect(commands).to.have.length.above(15);

    // The first of the pages: everything else asks what it installs.
    const [install, ...others] = commands as [Command, ...Command[]];
    expect(install.line).to.match(/^helm install edge /);
    const installed = run(install.line.replace('routes.yaml', routes));
    expect(installed.code, installed.said).to.equal(0);
    const { stdout: notes } = runTool(helm, [
      ...['get', 'notes', 'edge', '-n', 'edge', '--kubeconfig', cluster.server.kubeconfig],
    ]);
    const noted = notes
      .split('\n')
      .filter((line) => /^ {2}(kubectl|helm) /.test(line))
      .map((line) => ({ page: 'NOTES.txt', line: line.trim() }));
    expect(noted).to.have.lengthOf(5);

    cluster.done(['config', 'set-context', '--current', '--namespace=edge']);
    makePod('edge-mgateway-0');
    for (const { page, line } of [...noted, ...others]) {
      // That one runs a pod and waits for it: test/helm/hooks.test.ts runs what is in it.
      if (/^helm .*\btest\b/.test(line)) continue;
      const { code, said } = run(line.replaceAll(/\bPOD\b/g, 'edge-mgateway-0').replace('NAMESPACE', 'edge'));
      const asksKubelet = needsKubelet.test(line) && code !== 0;
      if (asksKubelet) expect(said, `${page}: ${line}`).to.match(noKubelet);
      else expect(code, `${page}: ${line}: ${said}`).to.equal(0);
      if (line.includes('annotate')) expect(said, page).to.equal('pod/edge-mgateway-0 annotated\n');
      if (line.includes('get pods')) expect(said, page).to.include('edge-mgateway-0');
    }
  });

  /** As the Deployment's controllers would make one. */
  function makePod(name: string): void {
    const deployment = JSON.parse(
      cluster.done(['get', 'deployment', 'edge-mgateway', '-n', 'edge', '-o', 'json']),
    ) as KubeObject;
    const { template } = deployment.spec as { readonly template: KubeObject };
    const pod = { ...template, apiVersion: 'v1', kind: 'Pod' };
    cluster.done(
      ['create', '-n', 'edge', '-f', '-'],
      listOf([{ ...pod, metadata: { ...template.metadata, name, namespace: 'edge' } }]),
    );
  }
});

/** Lines of its shell blocks, and commands in its sentences, that kubectl or helm run. */
function commandsOf(page: string): readonly Command[] {
  const text = readFileSync(join(projectRoot, page), 'utf8');
  const blocks = [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].flatMap(([, block = '']) =>
    block.split('\n'),
  );
  const spans = [...text.matchAll(/`((?:kubectl|helm) [^`]+)`/g)].map(([, span = '']) => span);
  return [...blocks, ...spans]
    .map((line) => line.trim().replace(/ +#.*$/, ''))
    .filter((line) => /^(kubectl|helm) \S+ \S+/.test(line))
    .map((line) => ({ page, line }));
}
