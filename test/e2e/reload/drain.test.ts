import { expect } from 'chai';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
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
});
