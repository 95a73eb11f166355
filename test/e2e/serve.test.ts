import { expect } from 'chai';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { gatewayDocument, routeDocument, startGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

describe('mgateway serve', () => {
  const cleanup = cleanupAfterEach();
  const routeTo = (name: string, path: string, url: string): string =>
    routeDocument(name, `matches: [{ path: { prefix: ${path} } }]\nupstreams: [{ url: "${url}" }]`);

  it('turns a directory into traffic, and follows its edits without a restart', async () => {
    const one = await startUpstream(cleanup, 'one');
    const two = await startUpstream(cleanup, 'two');
    const gateway = await startGateway(cleanup, { files: { 'routes.yaml': routeTo('a', '/a', one.url) } });
    expect((await request(`${gateway.url}/a`)).body).to.equal('one');
    expect((await request(`${gateway.url}/b`)).status).to.equal(404);
    await gateway.reload(() => gateway.write('routes.yaml', routeTo('a', '/b', two.url)));
    expect((await request(`${gateway.url}/b`)).body).to.equal('two');
    expect((await request(`${gateway.url}/a`)).status).to.equal(404);
    // A request is counted when its exchange has ended, which its client may see first.
    const answered = 'mgateway_requests_total{route="default/a",method="GET",code="200"}';
    await eventually(async () => expect(await gateway.metric(answered)).to.equal(2));
  });

  it('serves the good files beside a broken one, and names the place of the fault', async () => {
    const upstream = await startUpstream(cleanup);
    const gateway = await startGateway(cleanup, {
      files: { 'good.yaml': routeTo('good', '/good', upstream.url), 'bad.yaml': 'kind: Route\nspec: {' },
    });
    expect((await request(`${gateway.url}/good`)).status).to.equal(200);
    await eventually(() => /bad\.yaml:\d+:\d+/.test(gateway.stderr()));
  });

  it('reads no larger file than --max-file-size and no more than --max-files, and loses nothing by it', async () => {
    const upstream = await startUpstream(cleanup);
    const route = (name: string): string => routeTo(name, `/${name}`, upstream.url);
    const gateway = await startGateway(cleanup, {
      files: { 'l.yaml': route('l'), 'm.yaml': route('m') },
      args: ['--max-file-size', '1KiB', '--max-files', '3'],
    });
    const statuses = (): Promise<readonly number[]> =>
      Promise.all(['a', 'l', 'm'].map(async (name) => (await request(`${gateway.url}/${name}`)).status));
    await gateway.reload(() => {
      gateway.write('l.yaml', `${route('l')}# ${'x'.repeat(1024)}\n`);
      gateway.write('a.yaml', route('a'));
    });
    expect(await statuses()).to.deep.equal([200, 200, 200]);
    await eventually(() => expect(gateway.stderr()).to.match(/l\.yaml.*is larger than 1024 bytes/));
    const message = /m\.yaml.*is not among the first 3 files, which are read/;
    await eventually(() => expect(gateway.stderr()).to.match(message));
  });

  it('ends with exit code 1 under --strict if there is any problem', async () => {
    const gateway = await startGateway(cleanup, {
      files: { 'bad.yaml': 'kind: Route\nspec: {' },
      args: ['--strict'],
      untilReady: false,
    });
    expect(await gateway.exited).to.deep.include({ code: 1 });
    expect(gateway.stderr()).to.match(/mgateway: .*\n?.*bad\.yaml:\d+:\d+/);
  });

  it('says which port is taken and what to do, and ends with exit code 1', async () => {
    const port = await freePort();
    const occupant = createServer().listen(port, '127.0.0.1');
    await once(occupant, 'listening');
    cleanup.add(() => occupant.close());
    const onTraffic = await startGateway(cleanup, { port, untilReady: false });
    expect(await onTraffic.exited).to.deep.include({ code: 1 });
    expect(onTraffic.stderr()).to.include(`cannot listen on 127.0.0.1:${port} (listener http)`);
    expect(onTraffic.stderr()).to.include('another port in the Gateway resource');
    const onAdmin = await startGateway(cleanup, {
      args: ['--admin', `127.0.0.1:${port}`],
      untilReady: false,
    });
    expect(await onAdmin.exited).to.deep.include({ code: 1 });
    expect(onAdmin.stderr()).to.include(`--admin 127.0.0.1:${port}: the port is in use`);
  });

  it('serves on while it is not ready any more, finishes what is under way, and ends with exit code 0', async () => {
    let answer: () => void = () => undefined;
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      if (incoming.url === '/slow') answer = () => response.end('done');
      else response.end('quick');
    });
    const gateway = await startGateway(cleanup, {
      files: { 'routes.yaml': routeTo('all', '/', upstream.url) },
      args: ['--shutdown-delay', '700ms'],
    });
    const slow = request(`${gateway.url}/slow`);
    await eventually(() => upstream.requests.length === 1);
    const exit = gateway.stop();
    await eventually(async () => (await request(`${gateway.admin}/readyz`)).status === 503);
    expect((await request(`${gateway.url}/quick`)).body).to.equal('quick');
    await eventually(() => refusesConnections(gateway.port));
    answer();
    expect((await slow).body).to.equal('done');
    expect(await exit).to.deep.equal({ code: 0, signal: null });
  });

  it('ends at once with exit code 1 at the second signal', async () => {
    const upstream = await startUpstream(cleanup, () => undefined);
    const gateway = await startGateway(cleanup, {
      files: { 'routes.yaml': routeTo('all', '/', upstream.url) },
    });
    request(`${gateway.url}/hangs`).catch(() => undefined);
    await eventually(() => upstream.requests.length === 1);
    void gateway.stop();
    await eventually(() => refusesConnections(gateway.port));
    expect(await gateway.stop()).to.deep.equal({ code: 1, signal: null });
  });

  it('reads the configuration anew at SIGHUP', async () => {
    const gateway = await startGateway(cleanup);
    const before = await gateway.metric('mgateway_config_reloads_total{result="unchanged"}');
    gateway.process.kill('SIGHUP');
    await eventually(
      async () => (await gateway.metric('mgateway_config_reloads_total{result="unchanged"}')) > before,
    );
  });

  it('is alive but not ready while no Gateway has a listener', async () => {
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayDocument(1).replace('port: 1,', 'port: none,'),
        'routes.yaml': routeTo('all', '/', 'http://127.0.0.1:1'),
      },
      untilReady: false,
    });
    await eventually(
      async () => (await gateway.metric('mgateway_config_reloads_total{result="refused"}')) === 1,
    );
    expect((await request(`${gateway.admin}/healthz`)).status).to.equal(200);
    const ready = await request(`${gateway.admin}/readyz`);
    expect(ready.status).to.equal(503);
    const port = await freePort();
    gateway.write('gateway.yaml', gatewayDocument(port));
    await eventually(async () => (await request(`${gateway.admin}/readyz`)).status === 200);
    expect((await request(`http://127.0.0.1:${port}/`)).status).to.equal(502);
  });

  it('replaces a worker that dies, with counters that only grow and the same routes', async () => {
    const upstream = await startUpstream(cleanup);
    const modules = tempDir(cleanup);
    writeFileSync(
      join(modules, 'fatal.mjs'),
      'export default () => ({ request() { setImmediate(() => { throw new Error("as if by a bug"); }); } });',
    );
    const gateway = await startGateway(cleanup, {
      files: {
        'routes.yaml': `${routeTo('good', '/good', upstream.url)}---\n${routeDocument(
          'fatal',
          'matches: [{ path: { prefix: /fatal } }]\nmiddlewares: [{ module: { path: fatal.mjs } }]\nupstreams: [{ url: "http://127.0.0.1:1" }]',
        )}`,
      },
      args: ['--modules-dir', modules, '--workers', '1'],
    });
    const served = 'mgateway_requests_total{route="default/good",method="GET",code="200"}';
    for (let i = 0; i < 3; i++) await request(`${gateway.url}/good`);
    await eventually(async () => (await gateway.metric(served)) === 3);
    await request(`${gateway.url}/fatal`).catch(() => undefined);
    await eventually(async () => (await gateway.metric('mgateway_worker_restarts_total')) === 1);
    await eventually(async () => (await request(`${gateway.url}/good`)).status === 200);
    await eventually(async () => (await gateway.metric(served)) === 4);
    expect((await request(`${gateway.admin}/readyz`)).status).to.equal(200);
    expect(gateway.stderr()).to.include('as if by a bug');
  });

  it('offers metrics and probes, and nothing else, on --probes', async () => {
    const port = await freePort();
    const gateway = await startGateway(cleanup, { env: { MGATEWAY_PROBES: `127.0.0.1:${port}` } });
    const headers = { host: 'pod.example' };
    expect((await request(`http://127.0.0.1:${port}/readyz`, { headers })).status).to.equal(200);
    expect((await request(`http://127.0.0.1:${port}/metrics`, { headers })).body).to.include(
      'mgateway_config_generation 1',
    );
    expect((await request(`http://127.0.0.1:${port}/api/v1/status`, { headers })).status).to.equal(404);
    expect((await request(`${gateway.admin}/api/v1/status`)).status).to.equal(200);
  });
});

function refusesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}
