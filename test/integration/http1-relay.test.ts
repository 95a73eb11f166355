import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { ServerOptions } from '../../src/dataplane/http1/types.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, listenRaw } from './http1-raw.ts';
import type { RawClient } from './http1-raw.ts';
import { Relay } from './http1-relay.ts';

describe('the codec between a client and an upstream', () => {
  const cleanup = cleanupAfterEach();

  async function relayTo(upstreamPort: number, options: Partial<ServerOptions> = {}) {
    const relay = new Relay(upstreamPort, options);
    cleanup.add(() => relay.close());
    return { relay, port: await relay.listen() };
  }

  async function upstream(listener: http.RequestListener): Promise<number> {
    const server = http.createServer(listener);
    cleanup.add(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Answers each request with its method, target and body. */
  function echo(request: http.IncomingMessage, response: http.ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = `${request.method} ${request.url} ${Buffer.concat(chunks).toString('latin1')}`;
      response.setHeader('content-length', body.length);
      response.end(body);
    });
  }

  /** An upstream whose answers the test writes: what each of its connections got and can be sent. */
  async function scripted(): Promise<{ port: number; peers: RawClient[] }> {
    const peers: RawClient[] = [];
    const port = await listenRaw(cleanup, (peer) => void peers.push(peer));
    return { port, peers };
  }

  async function firstPeer(peers: readonly RawClient[], text: string): Promise<RawClient> {
    return eventually(() => {
      const peer = peers[0];
      return peer?.received.includes(text) === true && peer;
    });
  }

  it('keeps both connections for further requests, of HTTP/1.0 only when asked', async () => {
    const { relay, port } = await relayTo(await upstream(echo));
    const client = await connectRaw(port, cleanup);
    for (let i = 0; i < 3; i++) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await eventually(() => client.received.endsWith(`GET /${i} `));
    }
    expect(relay.idle).to.have.length(1);
    client.send('GET /old HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    await eventually(() => client.received.endsWith('GET /old '));
    expect(client.received).to.include('connection: keep-alive\r\n');
    client.send('GET /last HTTP/1.0\r\nHost: a\r\n\r\n');
    await eventually(() => client.ended);
    expect(client.received).to.match(/connection: close\r\n\r\nGET \/last $/);
  });

  it('answers pipelined requests in order, bodies included', async () => {
    const { port } = await relayTo(await upstream(echo));
    const client = await connectRaw(port, cleanup);
    let wire = '';
    for (let i = 0; i < 50; i++) {
      wire += `POST /${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok\r\n`;
      wire += `POST /c${i} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
    }
    client.send(wire);
    await eventually(() => client.statuses.length === 100);
    const order = [...client.received.matchAll(/POST \/(c?\d+) ok/g)].map((found) => found[1]);
    expect(order).to.deep.equal(Array.from({ length: 100 }, (_, i) => `${i % 2 === 0 ? '' : 'c'}${i >> 1}`));
  });

  it('passes HEAD, 204, 304, informational answers and trailers on without a body where there is none', async () => {
    const { port } = await relayTo(
      await upstream((request, response) => {
        if (request.method === 'HEAD') response.setHeader('content-length', 5).end();
        else if (request.url === '/hints') {
          response.writeEarlyHints({ link: '</a>; rel=preload' });
          response.setHeader('trailer', 'x-sum');
          response.write('body');
          response.addTrailers({ 'x-sum': '1' });
          response.end();
        } else response.writeHead(Number(request.url?.slice(1)), { etag: '"x"' }).end();
      }),
    );
    const client = await connectRaw(port, cleanup);
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.received.endsWith('\r\n\r\n'));
    expect(client.received).to.include('content-length: 5\r\n');
    for (const status of [204, 304]) {
      client.received = '';
      client.send(`GET /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await eventually(() => client.received.endsWith('\r\n\r\n'));
      expect(client.statuses).to.deep.equal([status]);
      expect(client.received).to.not.match(/content-length|transfer-encoding/i);
    }
    client.received = '';
    client.send('GET /hints HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.received.endsWith('4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n'));
    expect(client.statuses).to.deep.equal([103, 200]);
  });

  it('turns chunks into an answer up to the end for HTTP/1.0, and the end of an upstream into chunks', async () => {
    const { port, peers } = await scripted();
    const relayed = await relayTo(port);
    const old = await connectRaw(relayed.port, cleanup);
    old.send('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    const peer = await firstPeer(peers, '\r\n\r\n');
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await eventually(() => old.received.endsWith('connection: close\r\n\r\nabc'));
    peer.send('0\r\n\r\n');
    await eventually(() => old.ended);
    const client = await connectRaw(relayed.port, cleanup);
    peer.received = '';
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => peer.received.endsWith('\r\n\r\n'));
    peer.send('HTTP/1.0 200 OK\r\n\r\nabc');
    await eventually(() => client.received.endsWith('3\r\nabc\r\n'));
    peer.socket.end('de');
    await eventually(() => client.received.endsWith('2\r\nde\r\n0\r\n\r\n'));
  });

  it('says 100 Continue when the upstream does, and closes when it answers instead', async () => {
    const { port, peers } = await scripted();
    const relayed = await relayTo(port);
    const client = await connectRaw(relayed.port, cleanup);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';
    client.send(head);
    const peer = await firstPeer(peers, '\r\n\r\n');
    peer.send('HTTP/1.1 100 Continue\r\n\r\n');
    await eventually(() => client.received === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    await eventually(() => peer.received.endsWith('hello'));
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await eventually(() => client.statuses.includes(200));
    peer.received = '';
    client.received = '';
    client.send(head);
    await eventually(() => peer.received.endsWith('\r\n\r\n'));
    peer.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    await eventually(() => client.ended);
    expect(client.statuses).to.deep.equal([401]);
    expect(client.received).to.include('connection: close');
  });

  it('refuses what is too long, too large or too slow with the status for it, and closes', async () => {
    const limits = { headBytes: 1000, targetBytes: 200, headerFields: 10, bodyBytes: 10, headTimeoutMs: 100 };
    const idle = { bodyIdleTimeoutMs: 100, keepAliveTimeoutMs: 100 };
    const { relay, port } = await relayTo(await upstream(echo), { ...limits, ...idle });
    const cases: [status: number, wire: string][] = [
      [414, `GET /${'a'.repeat(300)} HTTP/1.1\r\nHost: a\r\n\r\n`],
      [414, `GET /${'a'.repeat(2000)}`],
      [431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(2000)}`],
      [431, `GET / HTTP/1.1\r\nHost: a\r\n${'x: 1\r\n'.repeat(10)}\r\n`],
      [413, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n'],
      [413, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n'],
      [400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
      [408, 'GET / HTTP/1.1\r\nHost: a\r\nX: slow'],
      [408, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nslow'],
    ];
    for (const [status, wire] of cases) {
      const client = await connectRaw(port, cleanup);
      client.send(wire);
      await eventually(() => client.ended);
      expect(client.statuses, JSON.stringify(wire)).to.deep.equal([status]);
      expect(client.received).to.include('connection: close');
    }
    expect(relay.faults).to.have.length(cases.length);
    const silent = await connectRaw(port, cleanup);
    await eventually(() => silent.ended);
    expect(silent.received).to.equal('');
  });

  it('drips of a head do not prolong its time', async () => {
    const { port } = await relayTo(await upstream(echo), { headTimeoutMs: 200 });
    const client = await connectRaw(port, cleanup);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n');
    await eventually(
      () => {
        client.send('x: 1\r\n');
        return client.ended;
      },
      { everyMs: 30 },
    );
    expect(client.statuses).to.deep.equal([408]);
  });

  it('delivers an early answer to a client that is still sending, then closes', async () => {
    const { port } = await relayTo(
      await upstream((request, response) => {
        response.writeHead(413, { 'content-length': 5, connection: 'close' }).end('large');
        request.resume();
      }),
    );
    const client = await connectRaw(port, cleanup);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 << 20}\r\n\r\n`);
    client.socket.write(Buffer.alloc(4 << 20));
    await eventually(() => client.ended);
    expect(client.received).to.match(/^HTTP\/1\.1 413 [^]*connection: close\r\n\r\nlarge$/);
  });

  it('keeps the connection when an early answer leaves only a short body unread', async () => {
    const { port, peers } = await scripted();
    const relayed = await relayTo(port);
    const client = await connectRaw(relayed.port, cleanup);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab');
    const peer = await firstPeer(peers, 'ab');
    peer.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    await eventually(() => client.statuses.includes(401));
    client.send('cdefGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    const second = await eventually(() => peers[1]?.received.includes('\r\n\r\n') === true && peers[1]);
    expect(second.received).to.match(/^GET \/next /);
    expect(peer.received).to.not.include('cdef');
  });

  it('breaks the answer off when the upstream does, so that nobody takes it for whole', async () => {
    const { port, peers } = await scripted();
    const relayed = await relayTo(port);
    for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
      const client = await connectRaw(relayed.port, cleanup);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const peer = await firstPeer(peers, '\r\n\r\n');
      peer.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n3\r\nabc\r\n`);
      await eventually(() => client.received.includes('abc'));
      peer.socket.resetAndDestroy();
      await eventually(() => client.closed || client.ended);
      expect(client.received).to.not.match(/0\r\n\r\n$/);
      peers.length = 0;
    }
  });

  it('does not pass on answers that must not be, nor reuses what follows them', async () => {
    const wrong = [
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      'HTTP/1.1 200 OK\r\nX: a\nb\r\n\r\n',
      'SSH-2.0-x\r\n',
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100),
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`,
    ];
    let answer = '';
    const port = await listenRaw(cleanup, (peer) => peer.socket.once('data', () => peer.send(answer)));
    const { relay, port: relayPort } = await relayTo(port);
    for (const text of wrong) {
      answer = text;
      const client = await connectRaw(relayPort, cleanup);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      if (!text.startsWith('SSH')) await eventually(() => client.statuses.includes(502));
    }
    expect(relay.upstreamFaults.every(({ kind }) => kind === 'protocol')).to.be.true;
    answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
    const client = await connectRaw(relayPort, cleanup);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.received.endsWith('\r\n\r\nok'));
    expect(relay.idle.filter(({ reusable }) => reusable)).to.have.length(0);
  });

  it('tells a clean loss of a kept connection from one in the middle of an answer', async () => {
    const port = await listenRaw(cleanup, (peer) => {
      peer.socket.once('data', () => {
        peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        peer.socket.once('data', () => peer.socket.destroy());
      });
    });
    const { relay, port: relayPort } = await relayTo(port);
    const client = await connectRaw(relayPort, cleanup);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.statuses.length === 1);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.statuses.length === 2);
    expect(client.statuses).to.deep.equal([200, 502]);
    expect(relay.upstreamFaults).to.have.length(1);
    expect(relay.upstreamFaults[0]).to.include({ kind: 'reset', clean: true });
  });

  it('closes the upstream connection within 100 ms when the client goes, in every phase', async () => {
    const { port, peers } = await scripted();
    const relayed = await relayTo(port);
    const phases: [name: string, request: string, answer: string][] = [
      ['waiting for the head', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', ''],
      ['body up', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc', ''],
      ['body down', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'],
      [
        'after a half close',
        'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
      ],
    ];
    for (const [name, request, answer] of phases) {
      peers.length = 0;
      const client = await connectRaw(relayed.port, cleanup);
      client.send(request);
      const peer = await firstPeer(peers, request.slice(-3));
      if (answer !== '') {
        peer.send(answer);
        await eventually(() => client.received.endsWith('abc'));
      }
      const gone = performance.now();
      if (name === 'after a half close') client.socket.end();
      else client.socket.destroy();
      const closedAt = await new Promise<number>((resolve) => {
        peer.socket.once('close', () => resolve(performance.now()));
      });
      // The bound of G8; what is measured is a few milliseconds.
      expect(closedAt - gone, name).to.be.below(100);
    }
  });

  it('streams 64 MiB each way intact and with bounded memory, however slow the taker', async () => {
    const size = 64 << 20;
    const block = Buffer.alloc(1 << 16, 'gateway!');
    const expected = createHash('sha256');
    for (let sent = 0; sent < size; sent += block.length) expected.update(block);
    const digest = expected.digest('hex');
    const { port } = await relayTo(
      await upstream((request, response) => {
        if (request.method === 'POST') {
          const hash = createHash('sha256');
          // A slow reader: every so often it takes nothing for a turn.
          request.on('data', (chunk: Buffer) => {
            hash.update(chunk);
            request.pause();
            setImmediate(() => request.resume());
          });
          request.on('end', () => response.end(hash.digest('hex')));
          return;
        }
        let sent = 0;
        const more = (): void => {
          while (sent < size) {
            sent += block.length;
            if (!response.write(block)) return void response.once('drain', more);
          }
          response.end();
        };
        more();
      }),
    );
    let peak = 0;
    const base = process.memoryUsage.rss();
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss() - base)), 5);
    cleanup.add(() => clearInterval(watch));

    const down = createHash('sha256');
    await new Promise<void>((resolve, reject) => {
      http
        .get({ port, host: '127.0.0.1', agent: false }, (response) => {
          response.on('data', (chunk: Buffer) => {
            down.update(chunk);
            response.pause();
            setImmediate(() => response.resume());
          });
          response.on('end', resolve);
        })
        .on('error', reject);
    });
    expect(down.digest('hex')).to.equal(digest);

    const up = await new Promise<string>((resolve, reject) => {
      const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
        response.on('end', () => resolve(body));
      });
      request.on('error', reject);
      let sent = 0;
      const more = (): void => {
        while (sent < size) {
          sent += block.length;
          if (!request.write(block)) return void request.once('drain', more);
        }
        request.end();
      };
      more();
    });
    expect(up).to.equal(digest);
    // Both ends and the relay live in this process; unbounded buffering would add 64 MiB at once.
    expect(peak).to.be.below(60 << 20);
  });

  it('holds back a client that pipelines without end or does not take its answers', async () => {
    let answered = 0;
    const body = Buffer.alloc(20_000);
    const { port } = await relayTo(
      await upstream((_request, response) => {
        answered++;
        response.end(body);
      }),
    );
    const client = await connectRaw(port, cleanup);
    client.socket.pause();
    const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let i = 0; i < 20; i++) client.send(request.repeat(1000));
    let before = -1;
    await eventually(
      () => {
        const same = answered > 0 && answered === before;
        before = answered;
        return same;
      },
      { everyMs: 300 },
    );
    // 20,000 answers would be 400 MB; what the sockets' buffers hold is a few.
    expect(answered).to.be.below(2000);
  });
});
