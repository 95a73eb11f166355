import { expect } from 'chai';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw } from '../../support/raw-connection.ts';
import { request } from '../../support/request.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { startUpstream } from '../../support/upstream.ts';

describe('a client that only just does not stand still', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  const endless: ServerResponse[] = [];

  before(async () => {
    const upstream = await startUpstream(cleanup, (incoming, response) => {
      response.on('error', () => undefined);
      incoming.on('error', () => undefined);
      if (incoming.url === '/endless') {
        endless.push(response);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        };
        response.on('drain', more);
        more();
        return;
      }
      incoming.resume();
      incoming.on('end', () => response.end('done'));
    });
    gateway = await startGateway(cleanup, {
      // Each worker has a place of its own.
      args: ['--workers', '1'],
      files: {
        'routes.yaml': [
          routeDocument('all', 'upstreams: [{ name: narrow }]\ntimeouts: { request: 1s }'),
          routeDocument('patient', 'matches: [{ path: { prefix: /other } }]\nupstreams: [{ name: narrow }]'),
          resourceDocument(
            'Upstream',
            'narrow',
            `endpoints: [{ url: "${upstream.url}" }]\nmaxConnections: 1`,
          ),
        ].join('---\n'),
      },
    });
  });

  it('is ended by `timeouts.request` when it drips an upload, and another gets its place at the upstream', async () => {
    const client = await openRaw(cleanup, gateway.port);
    client.send('POST /upload HTTP/1.1\r\nhost: a.test\r\ncontent-length: 100000\r\n\r\n');
    const drip = setInterval(() => client.send('x'), 50);
    cleanup.add(() => clearInterval(drip));
    await eventually(
      async () => (await gateway.metric('mgateway_requests_in_flight{route="default/all"}')) === 1,
    );
    const other = request(`${gateway.url}/other`);
    expect(await client.head()).to.match(/^HTTP\/1\.1 504 /);
    expect(await client.until(/\}/)).to.include('ERR_REQUEST_TIMEOUT');
    clearInterval(drip);
    expect((await other).status).to.equal(200);
  });

  it('is ended by `timeouts.request` when it hardly reads its answer, and the upstream need not wait for it', async () => {
    const client = await openRaw(cleanup, gateway.port);
    client.send('GET /endless HTTP/1.1\r\nhost: a.test\r\n\r\n');
    expect(await client.head()).to.match(/^HTTP\/1\.1 200 /);
    client.socket.pause();
    const sip = setInterval(() => void client.socket.read(16), 50);
    cleanup.add(() => clearInterval(sip));
    await eventually(() => endless.length === 1);
    const [response] = endless as [ServerResponse];
    if (!response.closed) await once(response, 'close');
    clearInterval(sip);
    expect((await request(`${gateway.url}/other`)).status).to.equal(200);
  });
});
