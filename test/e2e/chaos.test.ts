import { expect } from 'chai';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { before, describe, it } from 'mocha';
import { cleanupAfterAll } from '../support/cleanup.ts';
import type { Cleanup } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { residentBytes } from '../support/resident-memory.ts';
import { request } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { tempDir } from '../support/temp-dir.ts';

const requests = 20_000;
const clients = 48;
/** Nobody in here takes longer for an answer. */
const stuckMs = 5000;

const handshake =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

describe('20,000 requests of every kind, many of them broken off', function () {
  this.timeout(60_000);
  const cleanup = cleanupAfterAll();
  const seed = Number(process.env['CHAOS_SEED'] ?? 7);
  const random = createRandom(seed);
  let gateway: RunningGateway;
  let ports: readonly number[];
  /** What upstreams got that is no HTTP. */
  const malformed: string[] = [];

  before(async () => {
    const upstreams = [await startUnruly(cleanup, malformed), await startUnruly(cleanup, malformed)];
    ports = upstreams;
    const endpoint = (port: number): string => `{ url: "http://127.0.0.1:${String(port)}" }`;
    const endpoints = upstreams.map(endpoint).join(', ');
    const modules = tempDir(cleanup);
    writeFileSync(
      join(modules, 'moody.mjs'),
      `export default () => {
        let n = 0;
        const mood = () => {
          if (++n % 11 === 0) throw new Error('mood');
          if (n % 7 === 0) return Promise.reject(new Error('mood'));
          return n % 3 === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, n % 13));
        };
        return { request: mood, response: mood };
      };`,
    );
    const route = (name: string, upstream = 'both', more = ''): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ name: ${upstream} }]\n${more}`,
      );
    gateway = await startGateway(cleanup, {
      args: ['--modules-dir', modules, '--log-level', 'error'],
      gatewaySpec: 'limits: { requestBody: 400KiB }',
      files: {
        'routes.yaml': [
          route('plain', 'both', 'timeouts: { attempt: 200ms }'),
          route('failover', 'half-dead'),
          route('narrow', 'narrow'),
          route('moody', 'both', 'middlewares: [{ module: { path: moody.mjs } }]'),
          route('limited', 'both', 'middlewares: [{ rateLimit: { requests: 5, per: 1s, burst: 5 } }]'),
          resourceDocument(
            'Upstream',
            'both',
            `endpoints: [${endpoints}]\nloadBalancer: { strategy: LeastRequest }\ntimeouts: { keepAlive: 600ms }`,
          ),
          resourceDocument(
            'Upstream',
            'half-dead',
            `endpoints: [${endpoint(await freePort())}, ${endpoint(upstreams[0] as number)}]\ntimeouts: { keepAlive: 600ms }`,
          ),
          resourceDocument(
            'Upstream',
            'narrow',
            `endpoints: [${endpoint(upstreams[1] as number)}]\nmaxConnections: 2\ntimeouts: { keepAlive: 600ms, connect: 1s }`,
          ),
        ].join('---\n'),
      },
    });
  });

  it('leaves nothing in flight, nothing open, and no memory behind', async () => {
    const pid = gateway.process.pid as number;
    const handles = openFiles(pid);
    const tally: Tally = { asked: 0, answered: 0, stuck: [], lost: [] };
    const run = async (until: number): Promise<void> => {
      const visit = async (): Promise<void> => {
        while (tally.asked < until) await visitOnce(gateway.port, random, tally);
      };
      await Promise.all(Array.from({ length: clients }, visit));
    };
    const started = performance.now();
    await run(requests * 0.4);
    const warm = residentBytes(pid);
    await run(requests);
    const grown = residentBytes(pid) - warm;
    const seconds = (performance.now() - started) / 1000;
    console.log(
      `      seed ${String(seed)}: ${String(tally.asked)} requests, ${String(tally.answered)} answers in ` +
        `${seconds.toFixed(1)} s; resident memory +${(grown / 1_048_576).toFixed(1)} MiB after the first 40 %`,
    );
    expect(tally.stuck, 'requests without an answer').to.deep.equal([]);
    expect(malformed, 'malformed requests at upstreams').to.deep.equal([]);
    expect(tally.lost, 'connections that were closed without a word').to.deep.equal([]);
    expect(tally.answered).to.be.above(requests / 2);

    await eventually(async () => {
      const text = await gateway.metrics();
      expect(nonZero(text, 'requests_in_flight'), 'in flight').to.deep.equal([]);
      expect(nonZero(text, 'open_connections'), 'connections').to.deep.equal([]);
    });
    const text = await gateway.metrics();
    const counted = sum(text, 'mgateway_requests_total');
    expect(counted).to.equal(sum(text, 'mgateway_request_duration_seconds_count'));
    expect(counted).to.be.at.least(tally.answered);
    expect(sum(text, 'mgateway_worker_restarts_total')).to.equal(0);
    // Idle upstream connections end, tunnels have; what the scrape itself holds may come and go.
    if (handles !== undefined) await eventually(() => (openFiles(pid) as number) <= handles + 2);
    expect(grown).to.be.below(64 * 1_048_576);

    // Counts of exchanges in flight that stayed would keep the balancer away from that endpoint.
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) seen.add((await request(`${gateway.url}/plain/who`)).body);
    expect([...seen].sort()).to.deep.equal(ports.map(String).sort());
  });
});

interface Tally {
  asked: number;
  answered: number;
  readonly stuck: string[];
  readonly lost: string[];
}

const invalidChunk = 'zz\r\n';

/** One connection with some requests on it, one after another, until it is closed or broken off. */
async function visitOnce(port: number, random: Random, tally: Tally): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  let received = '';
  let wake: () => void = () => undefined;
  let before = 'nothing';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  socket.on('close', () => wake());
  for (let left = 1 + random.below(12); left > 0 && !socket.destroyed; left--) {
    tally.asked++;
    const text = compose(random);
    const breakOff = random.below(100) < 12 ? random.below(3) : -1;
    if (breakOff === 0) {
      // In the middle of what is sent.
      socket.write(text.slice(0, random.below(text.length)), 'latin1');
      await wait(random.below(4));
      break;
    }
    socket.write(text, 'latin1');
    if (breakOff === 1) {
      await wait(random.below(12));
      break;
    }
    const deadline = performance.now() + stuckMs;
    let length = 0;
    while (!socket.destroyed) {
      length = breakOff === 2 ? received.length : answerLength(received);
      if (length !== 0) break;
      if (performance.now() > deadline) {
        tally.stuck.push(`${text.slice(0, 120)} … ${received.slice(0, 200)}`);
        break;
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, stuckMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (length === 0 && breakOff < 0 && received === '')
      tally.lost.push(`${text.slice(0, 160)} after ${before}`);
    if (length === 0 || breakOff === 2) break;
    if (length > 0) tally.answered++;
    if (length < 0 || received.startsWith('HTTP/1.1 101')) break;
    if (/\r\nconnection: close\r\n/i.test(received.slice(0, length))) break;
    // It may have been answered before its end was read, and that end is no HTTP: nothing may follow on this connection.
    if (text.endsWith(invalidChunk)) break;
    before = `${text.slice(0, 120)} answered by ${received.slice(0, Math.min(length, 200))}`;
    received = received.slice(length);
  }
  if (random.below(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}

/** Length of the final answer at the beginning of `text`; 0: not whole. */
function answerLength(text: string): number {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const head = text.slice(0, end).toLowerCase();
  if (/^http\/1\.1 10[^1]/.test(head)) {
    const rest = answerLength(text.slice(end + 4));
    return rest === 0 ? 0 : rest + end + 4;
  }
  if (head.startsWith('http/1.1 101')) return end + 4;
  const size = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (size !== undefined) return text.length >= end + 4 + Number(size) ? end + 4 + Number(size) : 0;
  const last = text.indexOf('\r\n0\r\n\r\n', end + 2);
  return last < 0 ? 0 : last + 7;
}

function compose(random: Random): string {
  const prefix = random.pick([
    'plain',
    'plain',
    'plain',
    'failover',
    'narrow',
    'moody',
    'moody',
    'limited',
    'nowhere',
  ]);
  const kind = random.below(100);
  const head = (method: string, what: string, fields = ''): string =>
    `${method} /${prefix}/${what} HTTP/1.1\r\nhost: a.test\r\n${fields}\r\n`;
  if (kind < 45) return head('GET', random.pick(['who', 'who', 'who', 'chunks', 'big']));
  if (kind < 50) return head('GET', random.pick(['cut', 'reset', 'garbage', 'informed']));
  if (kind < 51) return head('GET', prefix === 'plain' ? 'silent' : 'slow');
  if (kind < 56)
    return head('GET', random.pick(['tunnel', 'tunnel', 'tunnel', 'who', 'reset', 'cut']), handshake);
  if (kind < 58) return `GET /${prefix}/who HTTP/1.1\r\nhost: a.test\r\nbad header\r\n\r\n`;
  if (kind < 60) return head('GET', 'who', 'connection: close\r\n');
  const size = random.pick([0, 1, 100, 10_000, 70_000, 200_000]);
  const body = 'x'.repeat(size);
  const what = random.pick(['echo', 'echo', 'echo', 'early', 'who', 'reset']);
  const method = random.pick(['POST', 'PUT', 'DELETE']);
  const expectation = random.below(10) === 0 ? 'expect: 100-continue\r\n' : '';
  if (random.below(2) === 0)
    return head(method, what, `${expectation}content-length: ${String(size)}\r\n`) + body;
  let chunks = '';
  for (let at = 0; at < size; at += 9000) {
    const piece = body.slice(at, at + 9000);
    chunks += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  // One in some is no valid chunk, or larger than is allowed.
  const fate = random.below(20);
  const end = fate === 0 ? invalidChunk : '0\r\n\r\n';
  return head(method, what, `${expectation}transfer-encoding: chunked\r\n`) + chunks + end;
}

/** An upstream that does what its path says, and closes idle connections earlier than the gateway does. Returns its port. */
async function startUnruly(cleanup: Cleanup, malformed: string[]): Promise<number> {
  const server = createServer({ keepAliveTimeout: 150 }, (incoming, answer) => {
    const what = incoming.url?.split('/')[2] ?? '';
    incoming.on('error', () => undefined);
    if (what !== 'early' && what !== 'echo') incoming.resume();
    switch (what) {
      case 'echo':
        incoming.pipe(answer);
        return;
      case 'early':
        answer.writeHead(413, { connection: 'close' }).end('too much');
        return;
      case 'chunks':
        answer.write('one');
        setTimeout(() => answer.end('two'), 1);
        return;
      case 'big':
        answer.end('y'.repeat(300_000));
        return;
      case 'cut':
        answer.writeHead(200, { 'content-length': '50' }).write('some');
        setTimeout(() => answer.destroy(), 1);
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'garbage':
        incoming.socket.end('HTTP/1.1 two hundred\r\n\r\n');
        return;
      case 'informed':
        answer.writeEarlyHints({ link: '</a>; rel=preload' });
        answer.end('hints');
        return;
      case 'slow':
        setTimeout(() => answer.end('slow'), 30);
        return;
      case 'silent':
        return;
      default:
        answer.end(String(port));
    }
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Requests that break off are expected, those that were never sent by anybody are not.
    if (/^HPE_(?!INVALID_EOF)/.test(error.code ?? '')) malformed.push(error.message);
    socket.destroy();
  });
  server.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    const what = incoming.url?.split('/')[2] ?? '';
    if (what === 'reset') return socket.resetAndDestroy();
    if (what === 'cut') {
      socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nhalf');
      return setTimeout(() => socket.destroy(), 1);
    }
    if (what === 'who') return socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${handshake}\r\nhello`);
    socket.write(head);
    return socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  cleanup.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return port;
}

interface Random {
  /** An integer from 0 up to but not including `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
}

/** mulberry32: which requests there are depends on the seed alone; when they meet, on the machine. */
function createRandom(seed: number): Random {
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return { below, pick: (from) => from[below(from.length)] as (typeof from)[number] };
}

/** File descriptors of a process; undefined where the system does not tell. */
function openFiles(pid: number): number | undefined {
  const folder = `/proc/${String(pid)}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : undefined;
}

function nonZero(text: string, metric: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(`mgateway_${metric}{`) && !line.endsWith(' 0'));
}

function sum(text: string, metric: string): number {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) || line.startsWith(`${metric} `))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
