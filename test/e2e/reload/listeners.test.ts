import { expect } from 'chai';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import { openConnection } from './connection.ts';

/** Listeners by name. */
function gatewayWith(listeners: Readonly<Record<string, number>>, name = 'default'): string {
  const list = Object.entries(listeners).map(
    ([each, port]) => `{ name: ${each}, port: ${port}, address: 127.0.0.1 }`,
  );
  return `apiVersion: mgateway.dev/v1alpha1
kind: Gateway
metadata: { name: ${name} }
spec: { listeners: [${list.join(', ')}] }
`;
}

const answers = async (port: number, path = '/'): Promise<number> => {
  try {
    return (await request(`http://127.0.0.1:${port}${path}`)).status;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return 0;
    throw error;
  }
};

async function occupy(cleanup: { add(close: () => unknown): void }, port: number) {
  const occupant = createServer().listen(port, '127.0.0.1');
  await once(occupant, 'listening');
  cleanup.add(() => occupant.close());
  return occupant;
}

describe('listeners', () => {
  const cleanup = cleanupAfterEach();

  it('come, move, change their names and go by reload, and only what goes is closed', async () => {
    const upstream = await startUpstream(cleanup);
    const [a, b, c] = [await freePort(), await freePort(), await freePort()];
    const routeOn = (listener: string): string =>
      routeDocument(
        listener,
        `listeners: [${listener}]\nmatches: [{ path: { exact: /${listener} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayWith({ one: a }),
        'routes.yaml': ['one', 'two', 'renamed'].map(routeOn).join('---\n'),
      },
    });
    const write = (listeners: Readonly<Record<string, number>>) => () =>
      gateway.write('gateway.yaml', gatewayWith(listeners));
    const onA = await openConnection(cleanup, a);
    expect((await onA.get('/one')).status).to.equal(200);
    expect([await answers(a, '/two'), await answers(b)]).to.deep.equal([404, 0]);

    await gateway.reload(write({ one: a, two: b }));
    const onB = await openConnection(cleanup, b);
    expect([(await onB.get('/two')).status, (await onB.get('/one')).status]).to.deep.equal([200, 404]);

    // A new name for the same address: connections stay and follow it.
    await gateway.reload(write({ renamed: a, two: b }));
    expect([(await onA.get('/one')).status, (await onA.get('/renamed')).status]).to.deep.equal([404, 200]);

    await gateway.reload(write({ renamed: a, two: c }));
    expect(await answers(c, '/two')).to.equal(200);
    await eventually(async () => (await answers(b)) === 0);
    await eventually(() => onB.closed);

    // Two listeners that change places keep their sockets.
    const onC = await openConnection(cleanup, c);
    await gateway.reload(write({ two: a, renamed: c }));
    expect([(await onA.get('/two')).status, (await onC.get('/renamed')).status]).to.deep.equal([200, 200]);

    await gateway.reload(write({ two: a }));
    await eventually(async () => (await answers(c)) === 0);
    expect((await onA.get('/two')).status).to.equal(200);
    expect(onA.closed).to.equal(false);
    await eventually(
      async () => !(await gateway.metrics()).includes('mgateway_open_connections{listener="renamed"}'),
    );
  });

  it('finish what is under way when they go', async () => {
    let answer: () => void = () => undefined;
    const upstream = await startUpstream(cleanup, (_incoming, response) => {
      answer = () => response.setHeader('content-length', 4).end('done');
    });
    const [a, b] = [await freePort(), await freePort()];
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayWith({ one: a, two: b }),
        'routes.yaml': routeDocument('all', `upstreams: [{ url: "${upstream.url}" }]`),
      },
    });
    const busy = await openConnection(cleanup, b);
    const idle = await openConnection(cleanup, b);
    const answered = busy.get('/');
    await eventually(() => upstream.requests.length === 1);
    await gateway.reload(() => gateway.write('gateway.yaml', gatewayWith({ one: a })));
    await eventually(() => idle.closed);
    answer();
    expect((await answered).body).to.equal('done');
    await eventually(() => busy.closed);
  });

  it('let no client down when they go: the last answer says so, whenever its request came', async () => {
    const upstream = await startUpstream(cleanup);
    const [a, b] = [await freePort(), await freePort()];
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayWith({ one: a, two: b }),
        'routes.yaml': routeDocument('all', `upstreams: [{ url: "${upstream.url}" }]`),
      },
    });
    // Each asks again as soon as it is answered: a request is always on its way.
    let asked = 0;
    const ask = async (): Promise<void> => {
      const connection = await openConnection(cleanup, b);
      for (;;) {
        asked++;
        const { headers } = await connection.get('/');
        if (headers['connection'] === 'close') return;
      }
    };
    const clients = Promise.all(Array.from({ length: 32 }, ask));
    await eventually(() => asked > 1000);
    gateway.write('gateway.yaml', gatewayWith({ one: a }));
    await clients;
    await eventually(async () => (await answers(b)) === 0);
  });

  it('stay as they are when a port is taken; the message names it; it is taken as soon as it is free', async () => {
    const [a, taken] = [await freePort(), await freePort()];
    const occupant = await occupy(cleanup, taken);
    const gateway = await startGateway(cleanup, {
      files: {
        'gateway.yaml': gatewayWith({ one: a }),
        'other.yaml': routeDocument('old', 'upstreams: [{ url: "http://127.0.0.1:1" }]'),
      },
    });
    const kept = await openConnection(cleanup, a);
    expect((await kept.get('/')).status).to.equal(502);
    // What is beside the refused Gateway is served (G5).
    await gateway.reload(() => {
      gateway.write('gateway.yaml', gatewayWith({ one: a, two: taken }));
      gateway.remove('other.yaml');
    });
    await eventually(() => new RegExp(`gateway\\.yaml.*AddressInUse.*:${taken}`).test(gateway.stderr()));
    expect((await kept.get('/')).status).to.equal(404);
    expect(
      (await gateway.metric('mgateway_config_resources{kind="Gateway",state="fallback"}')) +
        (await gateway.metric('mgateway_config_resources{kind="Gateway",state="failed"}')),
    ).to.equal(1);
    occupant.close();
    await once(occupant, 'close');
    gateway.process.kill('SIGHUP');
    await eventually(async () => (await answers(taken)) === 404);
    expect((await kept.get('/')).status).to.equal(404);
  });

  it('of a Gateway that was good before stay when it is edited into nonsense', async () => {
    const a = await freePort();
    const gateway = await startGateway(cleanup, { files: { 'gateway.yaml': gatewayWith({ one: a }) } });
    gateway.write('gateway.yaml', gatewayWith({ one: a }).replace('port:', 'prot:'));
    await eventually(() => gateway.stderr().includes('gateway.yaml:4'));
    expect(await answers(a)).to.equal(404);
    expect(await gateway.metric('mgateway_config_resources{kind="Gateway",state="fallback"}')).to.equal(1);
  });
});

describe('the default listener (G11)', () => {
  const cleanup = cleanupAfterEach();
  const route = routeDocument('a', 'upstreams: [{ url: "http://127.0.0.1:1" }]');

  /** Tests must not depend on whether somebody else has port 8080. */
  const triesDefault = /0\.0\.0\.0:8080/;

  async function start(files: Readonly<Record<string, string>>) {
    const dir = tempDir(cleanup);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const gateway = await startGateway(cleanup, { dir, untilReady: false });
    return { gateway, dir };
  }

  it('exists where the first set holds no Gateway at all', async () => {
    const { gateway } = await start({ 'route.yaml': route });
    // Either it listens there, or it says that it cannot.
    await eventually(() => triesDefault.test(gateway.output()));
  });

  for (const [what, bad] of [
    ['of another shape', gatewayWith({ one: 1 }).replace('port:', 'prot:')],
    ['that is not YAML', 'kind: Gateway\nspec: {'],
    ['of an unknown version', gatewayWith({ one: 1 }).replace('v1alpha1', 'v9')],
  ] as const) {
    it(`does not exist beside a Gateway ${what}: alive, not ready, no listener`, async () => {
      const { gateway, dir } = await start({ 'route.yaml': route, 'gateway.yaml': bad });
      await eventually(() => gateway.stderr().includes('gateway.yaml:'));
      expect((await request(`${gateway.admin}/healthz`)).status).to.equal(200);
      expect((await request(`${gateway.admin}/readyz`)).status).to.equal(503);
      // Nor does it come when the Gateway is taken away: the first set decides.
      rmSync(join(dir, 'gateway.yaml'));
      gateway.process.kill('SIGHUP');
      await eventually(async () =>
        (await gateway.metrics()).includes('mgateway_config_resources{kind="Route"'),
      );
      expect((await request(`${gateway.admin}/readyz`)).status).to.equal(503);
      const port = await freePort();
      writeFileSync(join(dir, 'gateway.yaml'), gatewayWith({ one: port }));
      await eventually(async () => (await answers(port)) === 502);
      expect((await request(`${gateway.admin}/readyz`)).status).to.equal(200);
      expect(gateway.output()).not.to.match(triesDefault);
    });
  }
});
