import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';
import { gatewayOf, projectedFiles, render, writeAsKubelet } from './support/chart.ts';
import type { KubeObject } from './support/chart.ts';
import { needTool } from './support/tools.ts';

describe('stateDir of the chart', () => {
  const helm = needTool('helm');
  const cleanup = cleanupAfterEach();

  it('lets a container that is restarted go on with what was served, and a new pod not', async () => {
    const upstream = await startUpstream(cleanup, 'behind');
    const port = await freePort();
    const first = render(helm, {
      values: {
        ports: { http: { containerPort: port } },
        config: { resources: [gateway(port), route('steady', upstream.url), route('edited', upstream.url)] },
      },
    });
    const { container, pod } = gatewayOf(first);
    const [stateDir = ''] = container.args.flatMap((arg) => /^--state-dir=(.*)$/.exec(arg)?.slice(1) ?? []);
    const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === stateDir);
    expect(mount).to.include({ name: 'state' }).and.not.to.have.property('readOnly');
    expect(JSON.stringify(pod.volumes)).to.include('{"name":"state","emptyDir":');

    const files = projectedFiles(first, pod, 'resources');
    const dir = tempDir(cleanup);
    writeAsKubelet(dir, files, 1);
    const emptyDir = tempDir(cleanup);
    /** The container's own arguments; what it finds mounted is elsewhere here. */
    const start = (volume: string): Promise<RunningGateway> =>
      startGateway(cleanup, {
        ...{ dir, port },
        args: container.args
          .filter((arg) => !/^(serve$|--(config|admin|probes|shutdown-delay)=)/.test(arg))
          .map((arg) => arg.replace(stateDir, volume)),
      });
    const running = await start(emptyDir);
    expect((await request(`${running.url}/edited`)).body).to.equal('behind');
    await eventually(() => existsSync(join(emptyDir, 'last-good.json')));

    const broken = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, text.replace('prefix: /edited', 'perfix: /edited')]),
    );
    expect(broken).not.to.deep.equal(files);
    writeAsKubelet(dir, broken, 2);
    await eventually(async () => (await running.metric('mgateway_config_last_reload_successful')) === 0);
    await running.stop('SIGKILL');

    const restarted = await start(emptyDir);
    expect((await request(`${restarted.url}/edited`)).body).to.equal('behind');
    await restarted.stop();
    const inNewPod = await start(tempDir(cleanup));
    expect((await request(`${inNewPod.url}/steady`)).body).to.equal('behind');
    expect((await request(`${inNewPod.url}/edited`)).status).to.equal(404);
  });
});

function route(name: string, url: string): Omit<KubeObject, 'data'> {
  return {
    ...{ apiVersion: 'mgateway.dev/v1alpha1', kind: 'Route', metadata: { name } },
    spec: { matches: [{ path: { prefix: `/${name}` } }], upstreams: [{ url }] },
  };
}

function gateway(port: number): Omit<KubeObject, 'data'> {
  return {
    ...{ apiVersion: 'mgateway.dev/v1alpha1', kind: 'Gateway', metadata: { name: 'edge' } },
    spec: { listeners: [{ name: 'http', port, address: '127.0.0.1' }] },
  };
}
