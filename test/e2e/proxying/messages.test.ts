import { expect } from 'chai';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { echo, echoed, valuesOf } from '../../support/echo.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import type { RawConnection } from '../../support/raw-connection.ts';
import { request } from '../../support/request.ts';
import { startUpstream } from '../../support/upstream.ts';
import type { RunningUpstream } from '../../support/upstream.ts';

describe('messages', () => {
  const cleanup = cleanupAfterAll();
  let upstream: RunningUpstream;
  /** Trusts nobody, and one that trusts this machine. */
  let plain: RunningGateway;
  let trusting: RunningGateway;
  /** Request heads and bodies as the raw upstream got them. */
  const asked: string[] = [];

  before(async () => {
    upstream = await startUpstream(cleanup, echo());
    const answers: Record<string, string> = {
      hop: 'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\nProxy-Connection: close\r\ncontent-length: 2\r\n\r\nok',
      'no-content': 'HTTP/1.1 204 No Content\r\nx-end: 1\r\n\r\n',
      'not-modified': 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 4711\r\n\r\n',
      head: 'HTTP/1.1 200 OK\r\ncontent-length: 4711\r\n\r\n',
      hints:
        'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
      close: 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nall of it',
    };
    const raw = await startRawServer(cleanup, async (connection) => {
      for (;;) {
        const head = await connection.head();
        asked.push(head);
        const name = /^\S+ \/raw\/(\S+)/.exec(head)?.[1] ?? '';
        if (name === 'continue') {
          connection.send('HTTP/1.1 100 Continue\r\n\r\n');
          asked.push(await connection.until(/body/));
          connection.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        } else {
          connection.send(answers[name] ?? 'HTTP/1.1 500 Unknown\r\ncontent-length: 0\r\n\r\n');
          if (name === 'close') connection.socket.end();
        }
      }
    });
    const routes = [
      routeDocument(
        'echo',
        `matches: [{ path: { prefix: /echo } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      ),
      routeDocument(
        'own',
        `matches: [{ path: { prefix: /own } }]\nupstreams: [{ url: "${upstream.url}" }]\nhostHeader: Upstream`,
      ),
      routeDocument('raw', `matches: [{ path: { prefix: /raw } }]\nupstreams: [{ url: "${raw.url}" }]`),
      routeDocument(
        'closed',
        `matches: [{ path: { prefix: /closed } }]\nupstreams: [{ url: "${raw.url}" }]\nmiddlewares: [{ jwt: { issuers: [{ issuer: a, secret: { env: MESSAGES_SECRET }, algorithms: [HS256] }] } }]`,
      ),
    ].join('---\n');
    const env = { MESSAGES_SECRET: 'a secret of at least thirty-two bytes' };
    [plain, trusting] = await Promise.all([
      startGateway(cleanup, {
        files: { 'routes.yaml': routes },
        env,
        gatewaySpec: 'limits: { requestBody: 1KiB }',
      }),
      startGateway(cleanup, {
        files: { 'routes.yaml': routes },
        env,
        gatewaySpec: 'trustedProxies: [127.0.0.1]',
      }),
    ]);
  });

  const open = (): Promise<RawConnection> => openRaw(cleanup, plain.port);

  it('lose what belongs to one hop, and what Connection names, both ways', async () => {
    const got = echoed(
      await request(`${plain.url}/echo`, {
        headers: {
          connection: 'keep-alive, x-hop, x-forwarded-for, authorization',
          'keep-alive': 'timeout=5',
          'x-hop': '1',
          'x-end': '2',
          te: 'trailers',
          'proxy-connection': 'keep-alive',
          authorization: 'Basic eA==',
        },
      }),
    );
    for (const name of ['x-hop', 'keep-alive', 'te', 'proxy-connection']) {
      expect(valuesOf(got.rawHeaders, name), name).to.deep.equal([]);
    }
    // What the upstream decides by cannot be taken away from it.
    expect(got.headers).to.include({
      'x-end': '2',
      authorization: 'Basic eA==',
      'x-forwarded-for': '127.0.0.1',
    });

    const back = await request(`${plain.url}/raw/hop`);
    expect(back.headers).to.include({ 'x-end': '2' });
    expect(back.headers).to.not.have.any.keys('x-hop', 'keep-alive', 'proxy-connection');
  });

  it('say who the client is: what an untrusted one claims is replaced, what a trusted one says is added to', async () => {
    const headers = {
      host: 'api.example.com',
      'X-Forwarded-For': ['203.0.113.7', '198.51.100.1'],
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'www.example.com',
      x_forwarded_for: '203.0.113.8',
      'x-real-ip': '203.0.113.9',
      forwarded: 'for=203.0.113.7',
      'x-request-id': 'given',
    };
    const { rawHeaders: untrusted } = echoed(await request(`${plain.url}/echo`, { headers }));
    expect(valuesOf(untrusted, 'x-forwarded-for')).to.deep.equal(['127.0.0.1']);
    expect(valuesOf(untrusted, 'x-forwarded-proto')).to.deep.equal(['http']);
    expect(valuesOf(untrusted, 'x-forwarded-host')).to.deep.equal(['api.example.com']);
    expect(valuesOf(untrusted, 'forwarded')).to.deep.equal([
      'for=127.0.0.1;host="api.example.com";proto=http',
    ]);
    expect([...valuesOf(untrusted, 'x_forwarded_for'), ...valuesOf(untrusted, 'x-real-ip')]).to.deep.equal(
      [],
    );
    expect(valuesOf(untrusted, 'x-request-id').join()).to.match(/^(?!given$)\S+$/);

    const { rawHeaders: trusted } = echoed(await request(`${trusting.url}/echo`, { headers }));
    expect(valuesOf(trusted, 'x-forwarded-for')).to.deep.equal(['203.0.113.7, 198.51.100.1, 127.0.0.1']);
    expect(valuesOf(trusted, 'x-forwarded-proto')).to.deep.equal(['https']);
    expect(valuesOf(trusted, 'x-forwarded-host')).to.deep.equal(['www.example.com']);
    expect(valuesOf(trusted, 'forwarded')).to.deep.equal([
      'for=203.0.113.7, for=127.0.0.1;host="api.example.com";proto=http',
    ]);
    expect(valuesOf(trusted, 'x-request-id')).to.deep.equal(['given']);
  });

  it('keep the Host of the client, or get that of the upstream where the route says so', async () => {
    const headers = { host: 'api.example.com:8443' };
    expect(echoed(await request(`${plain.url}/echo`, { headers })).headers['host']).to.equal(
      'api.example.com:8443',
    );
    const own = echoed(await request(`${plain.url}/own`, { headers }));
    expect(valuesOf(own.rawHeaders, 'host')).to.deep.equal([`127.0.0.1:${upstream.port}`]);
    expect(own.headers['x-forwarded-host']).to.equal('api.example.com:8443');
  });

  it('have no body where there is none: HEAD, 204, 304; and the connection goes on', async () => {
    const client = await open();
    const ask = async (method: string, name: string): Promise<string> => {
      client.send(`${method} /raw/${name} HTTP/1.1\r\nhost: a.test\r\n\r\n`);
      return (await client.head()).toLowerCase();
    };
    expect(await ask('HEAD', 'head')).to.match(/^http\/1\.1 200 [^]*content-length: 4711\r\n/);
    const none = await ask('GET', 'no-content');
    expect(none).to.match(/^http\/1\.1 204 [^]*x-end: 1\r\n/);
    expect(none).to.not.include('content-length').and.to.not.include('transfer-encoding');
    expect(await ask('GET', 'not-modified')).to.match(/^http\/1\.1 304 [^]*etag: "a"/);
    client.send(
      'HEAD /nowhere HTTP/1.1\r\nhost: a.test\r\n\r\nGET /raw/hop HTTP/1.1\r\nhost: a.test\r\n\r\n',
    );
    expect((await client.head()).toLowerCase()).to.match(/^http\/1\.1 404 [^]*content-length: [1-9]/);
    expect(await client.until(/ok/)).to.match(/^HTTP\/1\.1 200 /);
  });

  it('that end with the upstream connection are whole for the client, whose own connection stays', async () => {
    const client = await open();
    client.send('GET /raw/close HTTP/1.1\r\nhost: a.test\r\n\r\n');
    expect(await client.until(/all of it\r\n0\r\n\r\n/)).to.match(/transfer-encoding: chunked/);
    client.send('GET /raw/hop HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await client.until(/ok/);
  });

  it('that are informational reach the client before the answer', async () => {
    const client = await open();
    client.send('GET /raw/hints HTTP/1.1\r\nhost: a.test\r\n\r\n');
    expect(await client.head()).to.match(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n/);
    expect(await client.head()).to.match(/^HTTP\/1\.1 200 /);
  });

  it('wait for 100 Continue from the upstream, which gets to see Expect', async () => {
    const client = await open();
    client.send(
      'POST /raw/continue HTTP/1.1\r\nhost: a.test\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n',
    );
    expect(await client.head()).to.equal('HTTP/1.1 100 Continue\r\n\r\n');
    expect(asked.at(-1)?.toLowerCase()).to.include('expect: 100-continue');
    client.send('body');
    expect(await client.until(/ok/)).to.match(/^HTTP\/1\.1 200 /);
    expect(asked.at(-1)).to.equal('body');
  });

  it("are refused before their body is asked for, where that is the gateway's to decide", async () => {
    const seen = asked.length;
    const expecting = async (path: string, expectation = '100-continue', length = 4): Promise<string> => {
      const client = await open();
      client.send(
        `POST ${path} HTTP/1.1\r\nhost: a.test\r\nexpect: ${expectation}\r\ncontent-length: ${length}\r\n\r\n`,
      );
      const head = await client.head();
      await client.until(/\}/);
      await client.gone;
      return head;
    };
    expect(await expecting('/closed')).to.match(/^HTTP\/1\.1 401 [^]*connection: close/);
    expect(await expecting('/nowhere')).to.match(/^HTTP\/1\.1 404 /);
    expect(await expecting('/raw/continue', '200-maybe')).to.match(/^HTTP\/1\.1 417 /);
    expect(await expecting('/raw/continue', '100-continue', 5000)).to.match(/^HTTP\/1\.1 413 /);
    expect(asked.length).to.equal(seen);
  });

  it('are refused when they are too large: 431, 414, 413 by length and by counting', async () => {
    const large = await request(`${plain.url}/echo`, { headers: { 'x-large': 'x'.repeat(20_000) } });
    expect(large.status).to.equal(431);
    expect(large.json()).to.include({ code: 'ERR_REQUEST_HEADERS_TOO_LARGE' });
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1']));
    expect((await request(`${plain.url}/echo`, { headers: many })).status).to.equal(431);
    expect((await request(`${plain.url}/echo/${'x'.repeat(9000)}`)).status).to.equal(414);

    const body = 'x'.repeat(1025);
    const counted = { 'transfer-encoding': 'chunked' };
    for (const headers of [{}, counted]) {
      const answer = await request(`${plain.url}/echo`, { method: 'POST', body, headers });
      expect(answer.status).to.equal(413);
      expect(answer.json()).to.include({ code: 'ERR_REQUEST_BODY_TOO_LARGE' });
      expect(
        echoed(await request(`${plain.url}/echo`, { method: 'POST', body: 'x'.repeat(1024), headers })).body
          .length,
      ).to.equal(1024);
    }
    expect(echoed(await request(`${trusting.url}/echo`, { method: 'POST', body })).body.length).to.equal(
      1025,
    );
  });
});
