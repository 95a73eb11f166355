import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import type { RawConnection } from '../../support/raw-connection.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';

const upgrade =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

describe('an exchange', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  /** Heads that the upstream saw. */
  const heads: string[] = [];

  const ask = async (text: string): Promise<RawConnection> => {
    const client = await openRaw(cleanup, gateway.port);
    client.send(text);
    return client;
  };
  const total = (route: string, method: string, code: number): Promise<number> =>
    gateway.metric(`mgateway_requests_total{route="${route}",method="${method}",code="${String(code)}"}`);

  before(async () => {
    const upstream = await startRawServer(cleanup, async (connection) => {
      for (;;) {
        const head = await connection.until(/\r\n\r\n/, 60_000);
        heads.push(head);
        await answer(connection, head.split(' ')[1] ?? '');
      }
    });
    const modules = tempDir(cleanup);
    writeFileSync(
      join(modules, 'wait.mjs'),
      `export default () => ({
        response: () => new Promise((resolve) => setTimeout(resolve, 600)),
        close() { throw new Error('close failed'); },
      });`,
    );
    const route = (name: string, more = ''): string =>
      routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ name: back }]\n${more}`);
    gateway = await startGateway(cleanup, {
      gatewaySpec: 'limits: { requestBody: 10KiB }',
      args: ['--modules-dir', modules, '--access-log'],
      files: {
        'routes.yaml': [
          route('cut'),
          route('large'),
          route('ws'),
          route('ws-late'),
          route('ws-stalled', 'timeouts: { idle: 500ms }'),
          route('ws-cut', 'middlewares: [{ module: { path: wait.mjs } }]'),
          route('slow-upload', 'timeouts: { attempt: 500ms }'),
          route('thinking', 'timeouts: { attempt: 5s, idle: 500ms }'),
          resourceDocument(
            'Upstream',
            'back',
            `endpoints: [{ url: "${upstream.url}" }]\ntimeouts: { connect: 500ms }`,
          ),
        ].join('---\n'),
        'waits.yaml': route('waits', 'middlewares: [{ module: { path: wait.mjs } }]'),
      },
    });
  });

  it('keeps its status when the upstream breaks off in the middle: 499 is for clients that went', async () => {
    const client = await ask('GET /cut HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await client.gone;
    await eventually(async () => (await total('default/cut', 'GET', 200)) === 1);
    expect(await total('default/cut', 'GET', 499)).to.equal(0);
  });

  it('is counted once when its body turns out too large, and answered by its own request id', async () => {
    const before = await total('_none', 'OTHER', 413);
    const client = await ask('POST /large HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n');
    for (let i = 0; i < 3; i++) client.send(`1000\r\n${'x'.repeat(4096)}\r\n`);
    const head = await client.head();
    expect(head).to.match(/^HTTP\/1\.1 413 /);
    const id = /x-request-id: (\S+)/.exec(head)?.[1];
    await eventually(async () => (await total('default/large', 'POST', 413)) === 1);
    expect(await total('_none', 'OTHER', 413)).to.equal(before);
    const line = await eventually(
      () =>
        gateway
          .stdout()
          .split('\n')
          .find((text) => text.includes('"POST"') && text.includes('/large')) ?? false,
    );
    expect(line).to.include(id);
  });

  it('has the address of its client in the access log also when no route takes it', async () => {
    const client = await ask('GET /nowhere HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await client.head();
    const line = await eventually(
      () =>
        gateway
          .stdout()
          .split('\n')
          .find((text) => text.includes('/nowhere')) ?? false,
    );
    expect(line).to.include('"127.0.0.1"');
  });

  it('has the time of an attempt begin when its body is sent', async () => {
    const client = await ask('POST /slow-upload HTTP/1.1\r\nhost: a.test\r\ncontent-length: 14\r\n\r\n');
    for (let i = 0; i < 10; i++) {
      client.send('x');
      await wait(120);
    }
    client.send('last');
    expect(await client.head()).to.match(/^HTTP\/1\.1 200 /);
  });

  it('lets the upstream think as long as the attempt may take', async () => {
    const client = await ask('GET /thinking HTTP/1.1\r\nhost: a.test\r\n\r\n');
    expect(await client.head()).to.match(/^HTTP\/1\.1 200 /);
  });

  it('forwards the handshake of a tunnel to the path that was matched', async () => {
    const seen = heads.length;
    for (const more of ['', 'expect: 100-continue\r\n']) {
      const client = await ask(`GET /ws/http:/x?y=a//b HTTP/1.1\r\nhost: a.test\r\n${upgrade}${more}\r\n`);
      expect(await client.head()).to.match(/^HTTP\/1\.1 101 /);
      client.socket.destroy();
    }
    expect(heads.slice(seen).map((head) => head.split('\r\n')[0])).to.deep.equal([
      'GET /ws/http:/x?y=a//b HTTP/1.1',
      'GET /ws/http:/x?y=a//b HTTP/1.1',
    ]);
  });

  it('gives a handshake the time of an attempt, not that of a connection', async () => {
    const client = await ask(`GET /ws-late HTTP/1.1\r\nhost: a.test\r\n${upgrade}\r\n`);
    expect(await client.head()).to.match(/^HTTP\/1\.1 101 /);
    client.socket.destroy();
  });

  it('ends when the refusal of a handshake stands still or is cut off', async () => {
    const stalled = await ask(`GET /ws-stalled HTTP/1.1\r\nhost: a.test\r\n${upgrade}\r\n`);
    await stalled.gone;
    expect(stalled.text).to.match(/^HTTP\/1\.1 403 .*half\r\n$/s);
    const cut = await ask(`GET /ws-cut HTTP/1.1\r\nhost: a.test\r\n${upgrade}\r\n`);
    expect(await cut.head()).to.match(/^HTTP\/1\.1 502 /);
    for (const route of ['ws-stalled', 'ws-cut']) {
      await eventually(
        async () => (await gateway.metric(`mgateway_requests_in_flight{route="default/${route}"}`)) === 0,
      );
    }
  });

  it('is not harmed by a module that cannot be closed', async () => {
    await gateway.reload(() => gateway.remove('waits.yaml'));
    await eventually(() => gateway.output().includes('close failed'));
    const client = await ask('GET /nowhere HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await client.head();
    expect(await gateway.metric('mgateway_worker_restarts_total')).to.equal(0);
  });
});

async function answer(connection: RawConnection, path: string): Promise<void> {
  const empty = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
  const switched = `HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n`;
  switch (path.split('/')[1]) {
    case 'cut':
      connection.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this');
      connection.socket.end();
      return;
    case 'large':
      // Its body is refused on the way: there is nothing to answer.
      await connection.gone;
      return;
    case 'slow-upload':
      await connection.until(/last$/);
      connection.send(empty);
      return;
    case 'thinking':
      await wait(1200);
      connection.send(empty);
      return;
    case 'ws':
      connection.send(switched);
      return;
    case 'ws-late':
      await wait(900);
      connection.send(switched);
      return;
    case 'ws-stalled':
      connection.send('HTTP/1.1 403 Forbidden\r\ncontent-length: 10\r\n\r\nhalf');
      return;
    case 'ws-cut':
      connection.send('HTTP/1.1 403 Forbidden\r\ncontent-length: 10\r\n\r\nhalf');
      await wait(100);
      connection.socket.destroy();
      return;
    default:
      throw new Error(`nothing to answer ${path} with`);
  }
}
