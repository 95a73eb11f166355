import { join } from 'node:path';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { projectRoot, startProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { gatewayOf, objectsOf, writeAsKubelet } from './support/chart.ts';
import { needTool, runTool } from './support/tools.ts';

describe('manifests', () => {
  const kubectl = needTool('kubectl');
  const cleanup = cleanupAfterEach();

  it('are what kubectl apply -k sends, without the CRDs', () => {
    const { code, stdout, stderr } = runTool(kubectl, ['kustomize', join(projectRoot, 'manifests')]);
    expect(code, stderr).to.equal(0);
    const objects = objectsOf(stdout);
    expect(objects.map(({ kind }) => kind).sort()).to.deep.equal(
      'ConfigMap Deployment Service ServiceAccount'.split(' '),
    );
  });

  it('mount the routes as a directory under a name that stays, with arguments that the gateway takes', async () => {
    const objects = objectsOf(runTool(kubectl, ['kustomize', join(projectRoot, 'manifests')]).stdout);
    const routes = objects.find(({ kind }) => kind === 'ConfigMap');
    expect(routes?.metadata.name).to.equal('mgateway-routes');
    const { container, pod } = gatewayOf(objects);
    expect(JSON.stringify(pod.volumes)).to.include('"configMap":{"name":"mgateway-routes"}');
    expect(container.volumeMounts?.map(({ name, subPath }) => [name, subPath])).to.deep.equal([
      ['resources', undefined],
      ['state', undefined],
    ]);
    const dir = tempDir(cleanup);
    writeAsKubelet(dir, routes?.data ?? {}, 1);
    const validate = startProgram(cleanup, ['validate', '--offline', dir]);
    expect((await validate.exited).code, validate.output()).to.equal(0);
    const serve = startProgram(cleanup, container.args);
    expect((await serve.exited).code).to.equal(1);
    // Understood; only the directory is not on this machine.
    expect(serve.stderr()).to.include('/etc/mgateway/resources: there is no such file or directory');
  });
});
