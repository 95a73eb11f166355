import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { startGateway } from '../../support/gateway.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import { mountConfigMap } from './config-map.ts';
import { openConnection } from './connection.ts';
import type { Connection, ConnectionAnswer } from './connection.ts';

/** The full storm takes half a minute: `MGATEWAY_TEST_STORM=full`. */
const full = process.env['MGATEWAY_TEST_STORM'] === 'full';
const reloads = full ? 100 : 25;
const paceMs = full ? 300 : 280;
const busyConnections = 200;
const idleConnections = 100;

/** Says which generation's hooks ran: one before the request leaves, one when the answer comes back. */
const stampModule = `export default () => ({
  request(exchange) { exchange.requestHeaders.set('x-request-generation', String(exchange.generation)); },
  response(exchange, response) { response.headers.set('x-response-generation', String(exchange.generation)); },
});
`;

interface Origins {
  readonly port: number;
  readonly main: string;
  readonly pair: readonly [string, string];
  readonly checked: readonly [string, string];
}

/** Every route changes with every version; the limiter, the pair and the checked upstream never do. */
function version(stamp: number, { port, main, pair, checked }: Origins): Record<string, string> {
  const stamps = [
    '- module: { path: stamp.mjs }',
    `- requestHeaders: { set: { x-stamp: "${stamp}" } }`,
    `- query: { set: { stamp: "${stamp}" } }`,
    `- responseHeaders: { set: { x-stamp: "${stamp}" } }`,
  ];
  const route = (name: string, path: string, upstream: string, first: readonly string[] = []): string =>
    [
      'apiVersion: mgateway.dev/v1alpha1\nkind: Route',
      `metadata: { name: ${name} }`,
      'spec:',
      `  matches: [{ path: { prefix: ${path} } }]`,
      '  middlewares:',
      ...[...first, ...stamps].map((line) => `    ${line}`),
      `  upstreams: [${upstream}]`,
      '',
    ].join('\n');
  return {
    'gateway.yaml': `apiVersion: mgateway.dev/v1alpha1
kind: Gateway
metadata: { name: default }
spec:
  listeners: [{ name: http, port: ${port}, address: 127.0.0.1 }]
  generationHeader: x-generation
`,
    'state.yaml': `apiVersion: mgateway.dev/v1alpha1
kind: Middleware
metadata: { name: half }
spec: { rateLimit: { requests: 10, per: 24h, key: { header: x-key } } }
---
apiVersion: mgateway.dev/v1alpha1
kind: Upstream
metadata: { name: pair }
spec: { endpoints: [{ url: "${pair[0]}" }, { url: "${pair[1]}" }] }
---
apiVersion: mgateway.dev/v1alpha1
kind: Upstream
metadata: { name: checked }
spec:
  endpoints: [{ url: "${checked[0]}" }, { url: "${checked[1]}" }]
  healthCheck: { path: /healthz, interval: 1s, timeout: 500ms, unhealthy: 1, healthy: 1 }
`,
    'routes.yaml': [
      route('main', '/main', `{ url: "${main}" }`),
      route('limited', '/limited', `{ url: "${main}" }`, ['- name: half']),
      route('pair', '/pair', '{ name: pair }'),
      route('checked', '/checked', '{ name: checked }'),
    ].join('---\n'),
  };
}

/** G1: what the upstream saw and what the client sees was made by one generation, and that one says one thing. */
function checkStamps(answer: ConnectionAnswer, stamps: Map<string, string>): void {
  const seen = JSON.parse(answer.body) as { stamp: string; query: string; generation: string };
  const { 'x-generation': generation = '', 'x-stamp': stamp = '' } = answer.headers;
  const sides = [seen.generation, answer.headers['x-response-generation'], seen.stamp, seen.query];
  expect(sides).to.deep.equal([generation, generation, stamp, stamp]);
  expect(stamps.get(generation) ?? stamp).to.equal(stamp);
  stamps.set(generation, stamp);
}

describe('a storm of reloads', () => {
  const cleanup = cleanupAfterEach();

  it('loses no request, no connection and no state, and serves each request by one generation (G1, G6)', async function () {
    this.timeout(reloads * paceMs + 60_000);
    const upstream = await startUpstream(cleanup, (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://upstream');
      if (pathname === '/main/long') return void longAnswer(response, () => over);
      const body = JSON.stringify({
        stamp: request.headers['x-stamp'],
        query: searchParams.get('stamp'),
        generation: request.headers['x-request-generation'],
      });
      const head = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      // Long enough that many a request begins under one generation and ends under another.
      setTimeout(
        () => response.writeHead(200, head).end(body),
        pathname === '/main' ? Math.random() * 100 : 0,
      );
    });
    const [a, b] = [await startUpstream(cleanup, named('a')), await startUpstream(cleanup, named('b'))];
    const good = await startUpstream(cleanup, named('good'));
    const bad = await startUpstream(cleanup, (request, response) => {
      response.statusCode = request.url === '/healthz' ? 503 : 200;
      response.setHeader('content-length', 3).end('bad');
    });
    const sockets = new WebSocketServer({ server: upstream.server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    let over = false;

    const modules = tempDir(cleanup);
    writeFileSync(join(modules, 'stamp.mjs'), stampModule);
    const origins: Origins = {
      port: await freePort(),
      main: upstream.url,
      pair: [a.url, b.url],
      checked: [good.url, bad.url],
    };
    const volume = mountConfigMap(cleanup, version(0, origins));
    const gateway = await startGateway(cleanup, {
      dir: volume.dir,
      port: origins.port,
      args: ['--workers', '1', '--modules-dir', modules],
    });
    const open = (): Promise<Connection> => openConnection(cleanup, origins.port);
    const badHealth = `mgateway_upstream_endpoint_healthy{upstream="default/checked",endpoint="${bad.url}"}`;
    const reloaded = 'mgateway_config_reloads_total{result="applied"}';
    await eventually(async () => (await gateway.metrics()).includes(`${badHealth.split('{')[0]}{`));
    await eventually(async () => (await gateway.metric(badHealth)) === 0);
    const toBad = (): number => bad.requests.filter(({ url }) => url !== '/healthz').length;
    const badBefore = toBad();
    const reloadsBefore = await gateway.metric(reloaded);

    const idle = await Promise.all(Array.from({ length: idleConnections }, open));
    // Half of them have been used before, half never.
    await Promise.all(idle.filter((_, i) => i % 2 === 0).map((each) => each.get('/main')));
    const prober = await open();
    for (let i = 0; i < 5; i++) {
      expect((await prober.get('/limited', { 'x-key': 'half' })).status).to.equal(200);
    }

    const failures: string[] = [];
    const stamps = new Map<string, string>();
    let requests = 0;
    let latest = -1;
    const loop = async (path: string, check: (answer: ConnectionAnswer) => void): Promise<Connection> => {
      const connection = await open();
      while (!over) {
        try {
          const answer = await connection.get(path);
          requests++;
          if (answer.status !== 200) failures.push(`${path}: ${answer.status} ${answer.body}`);
          else check(answer);
          latest = Math.max(latest, Number(answer.headers['x-stamp']));
        } catch (error) {
          failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
          if (connection.closed) break;
        }
      }
      return connection;
    };
    const turns: string[] = [];
    const busy = [
      ...Array.from({ length: busyConnections - 2 }, () =>
        loop('/main', (answer) => checkStamps(answer, stamps)),
      ),
      loop('/pair', ({ body }) => void turns.push(body)),
      loop('/checked', ({ body }) => expect(body).to.equal('good')),
    ];
    const long = readLong(`${gateway.url}/main/long`);
    const tunnel = await openTunnel(`ws://127.0.0.1:${origins.port}/main`);
    cleanup.add(() => tunnel.terminate());
    let echoes = 0;
    let tunnelClosed = false;
    tunnel.on('message', () => void echoes++);
    tunnel.on('close', () => (tunnelClosed = true));

    const began = performance.now();
    for (let stamp = 1; stamp <= reloads; stamp++) {
      volume.swap(version(stamp, origins));
      tunnel.send(String(stamp));
      await eventually(() => latest === stamp, { everyMs: 5 });
      await wait(Math.max(0, began + stamp * paceMs - performance.now()));
    }
    const seconds = (performance.now() - began) / 1000;
    over = true;
    const connections = await Promise.all(busy);

    expect(failures.slice(0, 5), `${failures.length} of ${requests} requests failed`).to.deep.equal([]);
    expect(connections.filter(({ closed }) => closed)).to.have.length(0);
    expect(idle.filter(({ closed }) => closed)).to.have.length(0);
    const alive = await Promise.all(idle.map((each) => each.get('/main')));
    expect(alive.filter(({ status }) => status !== 200)).to.have.length(0);
    expect((await gateway.metric(reloaded)) - reloadsBefore).to.equal(reloads);
    expect(stamps.size).to.be.at.least(reloads);

    const left = [];
    for (let i = 0; i < 6; i++) left.push((await prober.get('/limited', { 'x-key': 'half' })).status);
    expect(left, 'a bucket half used stays half used').to.deep.equal([200, 200, 200, 200, 200, 429]);
    const repeated = turns.filter((turn, i) => i > 0 && turn === turns[i - 1]);
    expect(turns.length).to.be.greaterThan(reloads);
    expect(repeated, 'the balancer keeps its place').to.have.length(0);
    expect(toBad() - badBefore, 'requests to an endpoint known to be unhealthy').to.equal(0);
    expect(await gateway.metric(badHealth)).to.equal(0);

    await eventually(() => echoes === reloads);
    expect(tunnelClosed).to.equal(false);
    expect(await long).to.match(/^(\d+\n)+end$/);
    if (full) {
      const rate = Math.round(requests / seconds);
      console.log(
        `      ${reloads} reloads in ${seconds.toFixed(1)} s, ${requests} requests (${rate}/s), 0 failed`,
      );
    }
  });
});

function named(name: string) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('content-length', name.length).end(name);
  };
}

/** A line every 50 ms until the storm is over, then `end`. */
async function longAnswer(response: ServerResponse, isOver: () => boolean): Promise<void> {
  for (let line = 0; !isOver(); line++) {
    response.write(`${line}\n`);
    await wait(50);
  }
  response.end('end');
}

function readLong(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    }).on('error', reject);
  });
}

function openTunnel(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}
