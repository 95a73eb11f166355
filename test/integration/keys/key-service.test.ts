import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createKeyService } from '../../../src/keys/key-service.ts';
import type { KeyMaterial } from '../../../src/snapshot/messages.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';

const quiet = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a' }] });

describe('createKeyService with a key server', () => {
  const cleanup = cleanupAfterEach();

  async function load(answer: RequestListener): Promise<KeyMaterial | undefined> {
    const server = createServer(answer);
    cleanup.add(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const service = createKeyService({ log: quiet, onChange: () => {} });
    cleanup.add(() => service.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    const [material] = await service.load([{ id: 'u', version: '0', kind: 'Jwks', source: { url } }]);
    return material;
  }

  it('fetches a key set, through a redirect of the same scheme too', async () => {
    const material = await load((request, response) => {
      if (request.url === '/jwks') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(jwks);
    });
    expect(material?.jwks).to.equal(jwks);
  });

  it('takes nothing that is too large, cut off, redirected elsewhere, or no key set', async () => {
    const errorOf = async (answer: RequestListener): Promise<string | undefined> =>
      (await load(answer))?.error;
    expect(await errorOf((_, response) => response.end(' '.repeat(1024 * 1024 + 1)))).to.include(
      'larger than 1 MiB',
    );
    expect(
      await errorOf((_, response) => {
        response.writeHead(200, { 'content-length': jwks.length + 1 });
        response.write(jwks, () => response.destroy());
      }),
    ).to.match(/aborted|reset|ended early/i);
    expect(
      await errorOf((_, response) => response.writeHead(302, { location: 'ftp://127.0.0.1/jwks' }).end()),
    ).to.include('redirect to ftp:');
    expect(await errorOf((_, response) => response.writeHead(302, { location: '/jwks' }).end())).to.include(
      'redirects',
    );
    expect(await errorOf((_, response) => response.writeHead(404).end(jwks))).to.include('status 404');
    expect(await errorOf((_, response) => response.end('<html>'))).to.include('is not JSON');
  });

  it('does not wait for a server that says nothing', async () => {
    const material = await load(() => {});
    expect(material?.error).to.include('not fetched yet');
  });
});
