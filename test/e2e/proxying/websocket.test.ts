import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { before, describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanupAfterAll } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { openRaw, startRawServer } from '../../support/raw-connection.ts';
import { request } from '../../support/request.ts';
import { resourceDocument } from '../../support/resource-document.ts';
import { startUpstream } from '../../support/upstream.ts';

const secret = 'a secret of at least thirty-two bytes';
const handshake = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: a.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
  `sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

describe('a WebSocket', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  let upstreamUrl: string;
  /** Handshakes and sockets of the upstream, in order. */
  const handshakes: IncomingMessage[] = [];
  const accepted: WebSocket[] = [];
  /** What the upstream got that answers by hand. */
  const heads: string[] = [];

  const route = (name: string, url: string, more = ''): string =>
    routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ url: "${url}" }]\n${more}`);
  const routes = (more = ''): string =>
    [
      route('echo', upstreamUrl, more),
      route(
        'closed',
        upstreamUrl,
        'middlewares: [{ jwt: { issuers: [{ issuer: a, secret: { env: WS_SECRET }, algorithms: [HS256] }], claimsToHeaders: { sub: x-user } } }, { rewrite: { replacePrefix: { prefix: /closed, with: /echo/inner } } }]',
      ),
      route('refused', upstreamUrl),
    ].join('---\n');
  const connect = (path: string, headers: Record<string, string> = {}): WebSocket => {
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, { headers });
    socket.on('error', () => undefined);
    cleanup.add(() => socket.terminate());
    return socket;
  };
  const opened = async (path: string, headers?: Record<string, string>): Promise<WebSocket> => {
    const socket = connect(path, headers);
    await once(socket, 'open');
    return socket;
  };
  /** Status and body with which the handshake was refused. */
  const refusal = async (path: string): Promise<{ response: IncomingMessage; body: string }> => {
    const socket = connect(path);
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { response, body };
  };
  const echoOf = async (socket: WebSocket, data: string | Buffer): Promise<[Buffer, boolean]> => {
    const message = once(socket, 'message') as Promise<[Buffer, boolean]>;
    socket.send(data);
    return message;
  };

  before(async () => {
    const sockets = new WebSocketServer({ noServer: true, maxPayload: 32 * 1024 * 1024 });
    sockets.on('connection', (socket: WebSocket, incoming: IncomingMessage) => {
      handshakes.push(incoming);
      accepted.push(socket);
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const upstream = await startUpstream(cleanup);
    upstream.server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (incoming.url?.startsWith('/refused') === true) {
        socket.end(
          'HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 11\r\n\r\nnot for you',
        );
        return;
      }
      sockets.handleUpgrade(incoming, socket, head, (ready) => sockets.emit('connection', ready, incoming));
    });
    cleanup.add(() => {
      for (const socket of accepted) socket.terminate();
    });
    upstreamUrl = upstream.url;
    const silent = await startRawServer(cleanup, () => undefined);
    const resets = await startRawServer(cleanup, async (connection) => {
      await connection.head();
      connection.socket.destroy();
    });
    const spelled = await startRawServer(cleanup, async (connection) => {
      heads.push(await connection.head());
      connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nx-name: caf\xe9\r\n\r\n',
      );
    });
    const others = [
      route('spelled', spelled.url),
      route('resets', resets.url),
      route('nobody', `http://127.0.0.1:${await freePort()}`),
      route('silent', silent.url, 'timeouts: { attempt: 150ms }'),
      route('brief', upstreamUrl, 'timeouts: { webSocket: 1s }'),
      routeDocument('few', 'matches: [{ path: { prefix: /few } }]\nupstreams: [{ name: few }]'),
      resourceDocument(
        'Upstream',
        'few',
        `endpoints: [{ url: "${upstreamUrl}" }, { url: "${upstreamUrl.replace('127.0.0.1', 'localhost')}" }]\nmaxConnections: 1\nmaxWebSockets: 1`,
      ),
    ].join('---\n');
    gateway = await startGateway(cleanup, {
      env: { WS_SECRET: secret },
      // Limits are per worker.
      args: ['--workers', '1'],
      files: { 'routes.yaml': routes(), 'others.yaml': others },
    });
  });

  it('carries text, binary and large messages both ways', async () => {
    const socket = await opened('/echo/room?x=1');
    expect(handshakes.at(-1)?.url).to.equal('/echo/room?x=1');
    expect(handshakes.at(-1)?.headers).to.include({ 'x-forwarded-for': '127.0.0.1' });
    const [text, textIsBinary] = await echoOf(socket, 'grüße');
    expect([text.toString(), textIsBinary]).to.deep.equal(['grüße', false]);
    const [binary, isBinary] = await echoOf(socket, Buffer.from([0, 255, 13, 10, 0]));
    expect([...binary, isBinary]).to.deep.equal([0, 255, 13, 10, 0, true]);
    const large = Buffer.alloc(8 * 1024 * 1024, 'large ');
    const [back] = await echoOf(socket, large);
    expect(back.equals(large)).to.equal(true);
    socket.close(4001, 'done');
    const [code, reason] = (await once(accepted.at(-1) as WebSocket, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).to.deep.equal([4001, 'done']);
    const series = 'mgateway_requests_total{route="default/echo",method="GET",code="101"}';
    await eventually(async () => (await gateway.metric(series)) === 1);
  });

  it('does not lose a frame that comes right behind the handshake', async () => {
    const client = await openRaw(cleanup, gateway.port);
    // "hi", masked by zeros.
    client.send(handshake('/echo') + '\x81\x82\0\0\0\0hi');
    await client.head();
    expect(await client.until(/hi/)).to.equal('\x81\x02hi');
  });

  it('has the bytes of its heads unchanged both ways', async () => {
    const client = await openRaw(cleanup, gateway.port);
    client.send(handshake('/spelled', 'x-name: gr\xfc\xdfe\r\n'));
    expect(await client.head()).to.match(/^HTTP\/1\.1 101 [^]*\r\nx-name: caf\xe9\r\n/);
    expect(heads.at(-1)).to.match(/\r\nx-name: gr\xfc\xdfe\r\n/);
  });

  it('opens only where a route and its token allow it; a refusal is a proper answer', async () => {
    const { response, body } = await refusal('/closed');
    expect(response.statusCode).to.equal(401);
    expect(response.headers['www-authenticate']).to.equal('Bearer realm="mgateway"');
    expect(response.headers).to.not.have.property('transfer-encoding');
    expect(Number(response.headers['content-length'])).to.equal(Buffer.byteLength(body));
    expect(JSON.parse(body)).to.include({ code: 'ERR_JWT_MISSING' });
    expect((await refusal('/nowhere')).response.statusCode).to.equal(404);

    const socket = await opened('/closed/room', {
      authorization: `Bearer ${token({ iss: 'a', sub: 'ada' })}`,
      'x-user': 'root',
    });
    expect(handshakes.at(-1)?.url).to.equal('/echo/inner/room');
    expect(handshakes.at(-1)?.headers['x-user']).to.equal('ada');
    socket.terminate();
  });

  it("that the upstream refuses gets the upstream's answer", async () => {
    const { response, body } = await refusal('/refused');
    expect(response.statusCode).to.equal(403);
    expect(response.headers['content-type']).to.equal('text/plain');
    expect(body).to.equal('not for you');
  });

  it('whose upstream is not there is answered 502, as is one that hangs up; one that says nothing, 504', async () => {
    const gone = await refusal('/nobody');
    expect(gone.response.statusCode).to.equal(502);
    expect(JSON.parse(gone.body)).to.include({ code: 'ERR_UPSTREAM_CONNECT' });
    const lost = await refusal('/resets');
    expect(lost.response.statusCode).to.equal(502);
    expect(JSON.parse(lost.body)).to.include({ code: 'ERR_UPSTREAM_RESET' });
    const late = await refusal('/silent');
    expect(late.response.statusCode).to.equal(504);
    expect(JSON.parse(late.body)).to.include({ code: 'ERR_UPSTREAM_TIMEOUT' });
  });

  it('survives a reload, even of its own route, and ends when either side ends', async () => {
    const one = await opened('/echo');
    const oneUpstream = accepted.at(-1) as WebSocket;
    const two = await opened('/echo');
    const twoUpstream = accepted.at(-1) as WebSocket;
    await gateway.reload(() => gateway.write('routes.yaml', routes('timeouts: { request: 9s }')));
    expect((await echoOf(one, 'still here'))[0].toString()).to.equal('still here');
    expect((await echoOf(two, 'me too'))[0].toString()).to.equal('me too');

    const inFlight = 'mgateway_requests_in_flight{route="default/echo"}';
    const before = await gateway.metric(inFlight);
    const upstreamClosed = once(oneUpstream, 'close');
    one.terminate();
    await upstreamClosed;
    const clientClosed = once(two, 'close');
    twoUpstream.terminate();
    await clientClosed;
    await eventually(async () => (await gateway.metric(inFlight)) === before - 2);
  });

  it('is closed with 1001 on both sides when it has been silent for `timeouts.webSocket`', async () => {
    const talking = await opened('/brief/talking');
    const silent = await opened('/brief/silent');
    const ends = Promise.all([once(silent, 'close'), once(accepted.at(-1) as WebSocket, 'close')]);
    const pings = setInterval(() => talking.ping(), 50);
    cleanup.add(() => clearInterval(pings));
    for (const [code] of await ends) expect(code).to.equal(1001);
    expect((await echoOf(talking, 'still here'))[0].toString()).to.equal('still here');
    clearInterval(pings);
    const [code] = (await once(talking, 'close')) as [number];
    expect(code).to.equal(1001);
  });

  it('more than `maxWebSockets` of an endpoint goes to another, and is answered 503 where there is none', async () => {
    const first = await opened('/few/1');
    await opened('/few/2');
    const { response, body } = await refusal('/few/3');
    expect(response.statusCode).to.equal(503);
    expect(JSON.parse(body)).to.include({ code: 'ERR_UPSTREAM_BUSY' });
    // They take no place from requests.
    expect((await request(`${gateway.url}/few`)).status).to.equal(200);
    first.terminate();
    await eventually(async () => {
      const socket = connect('/few/4');
      await Promise.race([once(socket, 'open'), once(socket, 'unexpected-response')]);
      return socket.readyState === WebSocket.OPEN;
    });
    expect(handshakes.filter(({ url }) => url?.startsWith('/few/3'))).to.have.lengthOf(0);
  });

  it('cannot be used to get what cannot be parsed past the codec', async () => {
    const answer = async (head: string): Promise<string> => {
      const client = await openRaw(cleanup, gateway.port);
      client.send(head);
      const status = /^HTTP\/1\.1 (\d+)/.exec(await client.head())?.[1] ?? '';
      client.socket.destroy();
      return status;
    };
    const seen = handshakes.length;
    // Node's url.parse, which http-proxy calls, throws at these.
    expect(await answer('GET http://[abcd::1./ HTTP/1.1\r\nhost: a.test\r\n\r\n')).to.equal('400');
    expect(await answer(handshake('http://[abcd::1./echo'))).to.equal('400');
    expect(await answer(handshake('http://a.test:99999999/echo'))).to.equal('400');
    expect(await answer(handshake('/echo', 'x-bad: a\0b\r\n'))).to.equal('400');
    // Read as a host by url.parse: it must not become one.
    expect(await answer(handshake('//admin/echo'))).to.be.oneOf(['400', '404']);
    expect(await answer(handshake('/echo\\..\\admin'))).to.be.oneOf(['400', '404']);
    expect(handshakes.length).to.equal(seen);
    expect(await answer(handshake('http://a.test/echo/absolute'))).to.equal('101');
    expect(handshakes.at(-1)?.url).to.equal('/echo/absolute');
    expect(await answer(handshake('/echo?u=http://[abcd::1./'))).to.be.oneOf(['101', '400']);
    expect((await request(`${gateway.url}/echo`)).status).to.equal(200);
    expect(await gateway.metric('mgateway_worker_restarts_total')).to.equal(0);
  });
});

function token(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
