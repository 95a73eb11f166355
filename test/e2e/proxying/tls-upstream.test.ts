import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { before, describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import type { Cleanup } from '../../support/cleanup.ts';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe('an https:// upstream', () => {
  const cleanup = cleanupAfterAll();
  /** Trust the private CA, by either way; the last one does not. */
  let bySslCertFile: RunningGateway;
  let byExtraCerts: RunningGateway;
  let ignorant: RunningGateway;
  let good: TlsUpstream;
  let misnamed: TlsUpstream;

  before(async function () {
    this.timeout(60_000);
    const dir = tempDir(cleanup);
    if (!hasOpenssl()) {
      console.log('      no openssl on this machine: https:// upstreams are NOT tested');
      this.skip();
    }
    const ca = makeCa(dir);
    good = await startTlsUpstream(cleanup, ca.issue('good', 'DNS:localhost,IP:127.0.0.1'));
    misnamed = await startTlsUpstream(cleanup, ca.issue('misnamed', 'DNS:other.example'));
    const route = (name: string, host: string, port: number): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ url: "https://${host}:${port}" }]`,
      );
    const checked = (name: string, port: number): string =>
      resourceDocument(
        'Upstream',
        name,
        `endpoints: [{ url: "https://127.0.0.1:${port}" }]\nhealthCheck: { path: /, host: other.example, interval: 100ms, healthy: 1, unhealthy: 1 }`,
      );
    const signed = (name: string, server: string): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [{ jwt: { issuers: [{ issuer: a, jwks: { url: "${server}/jwks" }, algorithms: [EdDSA] }] } }]\nupstreams: [{ url: "https://localhost:${good.port}" }]`,
      );
    const files = {
      'routes.yaml': [
        route('name', 'localhost', good.port),
        route('address', '127.0.0.1', good.port),
        route('misnamed', 'localhost', misnamed.port),
        route('misaddressed', '127.0.0.1', misnamed.port),
        signed('signed', `https://localhost:${good.port}`),
        signed('signed-by-address', `https://127.0.0.1:${good.port}`),
        signed('signed-misnamed', `https://localhost:${misnamed.port}`),
        checked('checked-good', good.port),
        checked('checked-bad', misnamed.port),
      ].join('---\n'),
    };
    const bare = { SSL_CERT_FILE: '', NODE_EXTRA_CA_CERTS: '' };
    [bySslCertFile, byExtraCerts, ignorant] = await Promise.all([
      startGateway(cleanup, { files, env: { ...bare, SSL_CERT_FILE: ca.certificate } }),
      startGateway(cleanup, { files, env: { ...bare, NODE_EXTRA_CA_CERTS: ca.certificate } }),
      startGateway(cleanup, { files, env: bare }),
    ]);
  });

  it('is verified against a private CA and told by SNI which name is meant', async () => {
    for (const gateway of [bySslCertFile, byExtraCerts]) {
      const answer = await request(`${gateway.url}/name`, { headers: { host: 'public.example' } });
      expect(answer.status, answer.body).to.equal(200);
      expect(answer.json()).to.deep.equal({
        servername: 'localhost',
        host: 'public.example',
        alpn: 'http/1.1',
      });
    }
  });

  it('named by address is verified against it, and gets no SNI', async () => {
    const answer = await request(`${bySslCertFile.url}/address`);
    expect(answer.json()).to.include({ servername: false });
  });

  it('whose certificate is for another name, or by a CA that nobody trusts, is refused with 502', async () => {
    const wrongName = await request(`${bySslCertFile.url}/misnamed`);
    expect(wrongName.status).to.equal(502);
    expect(wrongName.json()).to.include({ code: 'ERR_UPSTREAM_CONNECT' });
    const unknownCa = await request(`${ignorant.url}/name`);
    expect(unknownCa.status).to.equal(502);
    expect(misnamed.requests()).to.equal(0);
  });

  it('takes a WebSocket by the same rules', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${bySslCertFile.port}/name`);
    socket.on('error', () => undefined);
    cleanup.add(() => socket.terminate());
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).to.equal('localhost');
    const refused = new WebSocket(`ws://127.0.0.1:${bySslCertFile.port}/misnamed`);
    refused.on('error', () => undefined);
    cleanup.add(() => refused.terminate());
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).to.equal(502);
    const distrusted = new WebSocket(`ws://127.0.0.1:${ignorant.port}/name`);
    distrusted.on('error', () => undefined);
    cleanup.add(() => distrusted.terminate());
    const [, answer] = (await once(distrusted, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).to.equal(502);
  });

  it('named by address is verified against it for a WebSocket too, not against the Host that the client chose', async () => {
    const headers = { host: 'other.example' };
    const socket = new WebSocket(`ws://127.0.0.1:${bySslCertFile.port}/address`, { headers });
    socket.on('error', () => undefined);
    cleanup.add(() => socket.terminate());
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).to.equal('false');
    const refused = new WebSocket(`ws://127.0.0.1:${bySslCertFile.port}/misaddressed`, { headers });
    refused.on('error', () => undefined);
    cleanup.add(() => refused.terminate());
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).to.equal(502);
    expect(misnamed.requests()).to.equal(0);
  });

  it('may serve a key set, and is verified by the same rules', async () => {
    const headers = { authorization: `Bearer ${token()}` };
    const statusOf = async (gateway: RunningGateway, name: string): Promise<number> =>
      (await request(`${gateway.url}/${name}`, { headers })).status;
    for (const gateway of [bySslCertFile, byExtraCerts]) {
      expect(await statusOf(gateway, 'signed')).to.equal(200);
      expect(await statusOf(gateway, 'signed-by-address')).to.equal(200);
      expect(await statusOf(gateway, 'signed-misnamed')).to.equal(503);
    }
    expect(await statusOf(ignorant, 'signed')).to.equal(503);
    expect(misnamed.requests()).to.equal(0);
  });

  it('is checked for its health by the same rules, whatever Host the check sends', async () => {
    for (const gateway of [bySslCertFile, byExtraCerts]) {
      const healthy = (name: string, port: number): Promise<number> =>
        gateway.metric(
          `mgateway_upstream_endpoint_healthy{upstream="default/${name}",endpoint="https://127.0.0.1:${port}"}`,
        );
      await eventually(async () => (await healthy('checked-bad', misnamed.port)) === 0);
      await eventually(async () => (await healthy('checked-good', good.port)) === 1);
    }
    expect(misnamed.requests()).to.equal(0);
  });
});

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k' }] });

function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'EdDSA', kid: 'k' })}.${part({ iss: 'a' })}`;
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

interface TlsUpstream {
  readonly port: number;
  requests(): number;
}

async function startTlsUpstream(cleanup: Cleanup, certificate: Certificate): Promise<TlsUpstream> {
  let requests = 0;
  const server: Server = createServer(
    { ...certificate, ALPNProtocols: ['http/1.1'] },
    (incoming, response) => {
      requests++;
      incoming.resume();
      if (incoming.url === '/jwks') {
        response.end(jwks);
        return;
      }
      // Node's types leave out what is there once the handshake is over.
      const { servername, alpnProtocol } = incoming.socket as TLSSocket & { servername: string | false };
      response.end(JSON.stringify({ servername, host: incoming.headers.host, alpn: alpnProtocol }));
    },
  );
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, incoming) => {
    requests++;
    socket.on('error', () => undefined);
    socket.send(String((incoming.socket as TLSSocket & { servername: string | false }).servername));
  });
  server.listen(0);
  await once(server, 'listening');
  cleanup.add(async () => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function makeCa(dir: string): {
  readonly certificate: string;
  issue(name: string, names: string): Certificate;
} {
  const run = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run(
    ...[
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-days',
      '2',
      '-subj',
      '/CN=Test CA',
    ],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
  );
  return {
    certificate: join(dir, 'ca.crt'),
    issue(name, names) {
      run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
      run(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'],
        ...['-out', `${name}.crt`, '-days', '2', '-extfile', `${name}.ext`],
      );
      const read = (end: string): string => readFileSync(join(dir, `${name}.${end}`), 'utf8');
      return { key: read('key'), cert: read('crt') };
    },
  };
}
