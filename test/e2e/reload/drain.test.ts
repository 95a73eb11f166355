import { expect } from 'chai';
import { once } from 'node:events';
import { describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { startUpstream } from '../../support/upstream.ts';
import { openConnection } from './connection.ts';

describe('a gateway that is told to stop', () => {
  const cleanup = cleanupAfterEach();

  it('closes idle connections, finishes what is under way, also of the table before, and writes every log line', async () => {
    const answers: (() => void)[] = [];
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      response.setHeader('content-length', 4);
      if (incoming.url === '/slow') answers.push(() => response.end('done'));
      else response.end('fast');
    });
    const all = (path: string): string =>
      routeDocument(
        'all',
        `matches: [{ path: { prefix: ${path} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const gateway = await startGateway(cleanup, {
      files: { 'routes.yaml': all('/') },
      args: ['--access-log', '--workers', '1'],
    });
    const [idle, before, after] = await Promise.all([
      openConnection(cleanup, gateway.port),
      openConnection(cleanup, gateway.port),
      openConnection(cleanup, gateway.port),
    ]);
    const slowBefore = before.get('/slow');
    await eventually(() => answers.length === 1);
    await gateway.reload(() => gateway.write('routes.yaml', `${all('/')}  drain: 31s\n`));
    const slowAfter = after.get('/slow');
    await eventually(() => answers.length === 2);
    for (let i = 0; i < 200; i++) expect((await idle.get('/fast')).body).to.equal('fast');
    const exit = gateway.stop();
    await eventually(() => idle.closed);
    for (const answer of answers) answer();
    expect([(await slowBefore).body, (await slowAfter).body]).to.deep.equal(['done', 'done']);
    expect(await exit).to.deep.equal({ code: 0, signal: null });
    expect(gateway.stdout().match(/"\/fast"/g)).to.have.length(200);
    expect(gateway.stdout().match(/"\/slow"/g)).to.have.length(2);
    expect(gateway.stderr()).to.include('"message":"stopped"');
  });

  it('says during the delay that connections close, closes idle ones with the drain, and takes leave of WebSockets', async () => {
    let answer: () => void = () => undefined;
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      response.setHeader('content-length', 4);
      if (incoming.url === '/slow') answer = () => response.end('done');
      else response.end('fast');
    });
    const sockets = new WebSocketServer({ server: upstream.server });
    const codes: number[] = [];
    sockets.on('connection', (socket) => socket.on('close', (code) => codes.push(code)));
    const gateway = await startGateway(cleanup, {
      files: { 'all.yaml': routeDocument('all', `upstreams: [{ url: "${upstream.url}" }]`) },
      args: ['--shutdown-delay', '1500ms', '--workers', '1'],
    });
    const [idle, busy, slow] = await Promise.all([
      openConnection(cleanup, gateway.port),
      openConnection(cleanup, gateway.port),
      openConnection(cleanup, gateway.port),
    ]);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`);
    cleanup.add(() => socket.terminate());
    await once(socket, 'open');
    socket.on('close', (code) => codes.push(code));
    expect((await idle.get('/')).headers['connection']).to.equal(undefined);
    expect((await busy.get('/')).headers['connection']).to.equal(undefined);
    const slowAnswer = slow.get('/slow');
    await eventually(() => upstream.requests.some(({ url }) => url === '/slow'));

    const exit = gateway.stop();
    await eventually(async () => (await request(`${gateway.admin}/readyz`)).status === 503);
    // Connections of before and new ones.
    expect((await busy.get('/')).headers['connection']).to.equal('close');
    await eventually(() => busy.closed);
    const late = await openConnection(cleanup, gateway.port);
    expect((await late.get('/')).headers['connection']).to.equal('close');
    expect([idle.closed, socket.readyState]).to.deep.equal([false, WebSocket.OPEN]);
    await eventually(() => idle.closed);
    await eventually(() => codes.length === 2);
    expect(codes).to.deep.equal([1001, 1001]);
    expect(gateway.process.exitCode).to.equal(null);
    answer();
    expect(await slowAnswer).to.deep.include({ status: 200, body: 'done' });
    expect((await slowAnswer).headers['connection']).to.equal('close');
    expect(await exit).to.deep.equal({ code: 0, signal: null });
  });
});
