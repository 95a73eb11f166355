import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';
import { routeDocument, startGateway } from '../../support/gateway.ts';
import type { RunningGateway } from '../../support/gateway.ts';
import { request } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startUpstream } from '../../support/upstream.ts';
import { openConnection } from './connection.ts';
import { findNodeForWorkers } from './node-24.ts';

/** A user's module with the faults that users' modules have. `process.exit` in a worker ends that worker. */
const faultyModule = `import { threadId } from 'node:worker_threads';
export default () => ({
  request(exchange) {
    const fault = exchange.requestHeaders.get('x-fault');
    if (fault === 'exit') process.exit(7);
    if (fault === 'throw-later') setImmediate(() => { throw new Error('thrown behind the back of every hook'); });
    if (fault === 'loop') for (;;);
    exchange.requestHeaders.set('x-thread', String(threadId));
  },
});
`;

describe('several workers', () => {
  const cleanup = cleanupAfterEach();
  let node: string | undefined;
  before(async function () {
    this.timeout(70_000);
    node = await findNodeForWorkers();
    if (node === undefined) this.skip();
  });

  async function startTwo(files: Record<string, string>): Promise<RunningGateway> {
    const modules = tempDir(cleanup);
    writeFileSync(join(modules, 'faulty.mjs'), faultyModule);
    return startGateway(cleanup, {
      files,
      node: node as string,
      args: ['--workers', '2', '--modules-dir', modules],
    });
  }

  function route(name: string, url: string, middlewares: string): string {
    return routeDocument(
      name,
      `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [${middlewares}]\nupstreams: [{ url: "${url}" }]`,
    );
  }

  /** Answers with the number of the thread that served. */
  const threadUpstream = () =>
    startUpstream(cleanup, (incoming, response) => {
      const thread = String(incoming.headers['x-thread']);
      response.setHeader('content-length', thread.length);
      if (incoming.url?.endsWith('/hang') !== true) response.end(thread);
    });

  /** Threads that serve new connections now. */
  async function threadsOf(gateway: RunningGateway, path: string, connections = 24): Promise<Set<string>> {
    const threads = await Promise.all(
      Array.from({ length: connections }, async () => {
        const answer = await request(`${gateway.url}${path}`);
        expect(answer.status).to.equal(200);
        return answer.body;
      }),
    );
    return new Set(threads);
  }

  it('take connections both, and admit exactly as many requests as a limit allows', async () => {
    const upstream = await threadUpstream();
    const gateway = await startTwo({
      'routes.yaml': [
        route(
          'limited',
          upstream.url,
          '{ module: { path: faulty.mjs } }, { rateLimit: { requests: 100, per: 24h, key: { route: {} } } }',
        ),
        route('free', upstream.url, '{ module: { path: faulty.mjs } }'),
      ].join('---\n'),
    });
    expect(await threadsOf(gateway, '/free')).to.have.property('size', 2);

    const connections = await Promise.all(
      Array.from({ length: 50 }, () => openConnection(cleanup, gateway.port)),
    );
    const answers = await Promise.all(
      connections.map(async (connection) => {
        const statuses: string[] = [];
        for (let i = 0; i < 20; i++) {
          const { status, body } = await connection.get('/limited');
          statuses.push(status === 200 ? `200 ${body}` : String(status));
        }
        return statuses;
      }),
    );
    const all = answers.flat();
    const admitted = all.filter((answer) => answer.startsWith('200'));
    expect(admitted).to.have.length(100);
    expect(all.filter((answer) => answer === '429')).to.have.length(900);
    expect(new Set(admitted).size, 'both workers admitted some').to.equal(2);
    const counted = (code: number): Promise<number> =>
      gateway.metric(`mgateway_requests_total{route="default/limited",method="GET",code="${code}"}`);
    expect(await counted(200)).to.equal(100);
    expect(await counted(429)).to.equal(900);
  });

  for (const fault of ['exit', 'throw-later']) {
    it(`are replaced when one dies (${fault}), and no counter goes down`, async () => {
      const upstream = await threadUpstream();
      const gateway = await startTwo({
        'routes.yaml': route('a', upstream.url, '{ module: { path: faulty.mjs } }'),
      });
      const threads = await threadsOf(gateway, '/a');
      expect(threads.size).to.equal(2);

      const watch = watchCounters(gateway);
      // Requests under way on both workers, so that the one that dies leaves some behind.
      const hanging = Array.from({ length: 20 }, () =>
        request(`${gateway.url}/a/hang`).catch(() => undefined),
      );
      await eventually(async () => (await gateway.metric(inFlight)) === 20);
      await request(`${gateway.url}/a`, { headers: { 'x-fault': fault } }).catch(() => undefined);
      await eventually(async () => (await gateway.metric('mgateway_worker_restarts_total')) === 1);
      // The other worker never stopped serving.
      expect((await request(`${gateway.admin}/readyz`)).status).to.equal(200);
      await eventually(async () => {
        const now = await threadsOf(gateway, '/a');
        return now.size === 2 && [...now].some((thread) => !threads.has(thread));
      });
      await upstream.close();
      await Promise.all(hanging);
      await eventually(async () => (await gateway.metric(inFlight)) === 0);
      await eventually(
        async () => (await gateway.metric('mgateway_open_connections{listener="http"}')) === 0,
      );
      const { scrapes, fallen } = await watch.end();
      expect(fallen).to.deep.equal([]);
      expect(scrapes).to.be.greaterThan(5);
      expect(gateway.stderr()).to.include('worker died, starting another');
    });
  }

  it('that hang are replaced after about ten seconds, and the others serve on', async function () {
    this.timeout(40_000);
    const upstream = await threadUpstream();
    const gateway = await startTwo({
      'routes.yaml': route('a', upstream.url, '{ module: { path: faulty.mjs } }'),
    });
    const threads = await threadsOf(gateway, '/a');
    const other = await Promise.all(Array.from({ length: 16 }, () => openConnection(cleanup, gateway.port)));
    const servedBy = await Promise.all(other.map(async (each) => (await each.get('/a')).body));
    const victim = servedBy[0];
    const began = performance.now();
    void other[0]?.get('/a', { 'x-fault': 'loop' }).catch(() => undefined);
    const survivor = other[servedBy.findIndex((thread) => thread !== victim)];
    await eventually(
      async () => {
        expect((await survivor?.get('/a'))?.status).to.equal(200);
        return (await gateway.metric('mgateway_worker_restarts_total')) === 1;
      },
      { withinMs: 20_000, everyMs: 100 },
    );
    expect((performance.now() - began) / 1000).to.be.within(8, 16);
    expect(gateway.stderr()).to.include('stuck');
    await eventually(async () => {
      const now = await threadsOf(gateway, '/a');
      return now.size === 2 && [...now].some((thread) => !threads.has(thread));
    });
  });
});

describe('one worker', () => {
  const cleanup = cleanupAfterEach();

  it('that keeps dying is restarted with growing pauses; not ready meanwhile; limits and counters stay', async () => {
    const upstream = await startUpstream(cleanup);
    const modules = tempDir(cleanup);
    writeFileSync(join(modules, 'faulty.mjs'), faultyModule);
    const gateway = await startGateway(cleanup, {
      files: {
        'routes.yaml': routeDocument(
          'a',
          `matches: [{ path: { prefix: /a } }]
middlewares: [{ module: { path: faulty.mjs } }, { rateLimit: { requests: 5, per: 24h } }]
upstreams: [{ url: "${upstream.url}" }]`,
        ),
      },
      args: ['--workers', '1', '--modules-dir', modules],
    });
    const counted = 'mgateway_requests_total{route="default/a",method="GET",code="200"}';
    for (let i = 0; i < 3; i++) expect((await request(`${gateway.url}/a`)).status).to.equal(200);
    expect(await gateway.metric(counted)).to.equal(3);
    const ready = async (): Promise<number> => (await request(`${gateway.admin}/readyz`)).status;
    for (let death = 1; death <= 3; death++) {
      await request(`${gateway.url}/a`, { headers: { 'x-fault': 'exit' } }).catch(() => undefined);
      await eventually(async () => (await ready()) === 503, { everyMs: 2 });
      await eventually(async () => (await ready()) === 200);
      expect(await gateway.metric('mgateway_worker_restarts_total')).to.equal(death);
    }
    expect(await gateway.metric(counted)).to.equal(3);
    const delays = [...gateway.stderr().matchAll(/"delayMs":(\d+)/g)].map(([, delay]) => Number(delay));
    expect(delays).to.deep.equal([100, 200, 400]);
    const rest = [];
    for (let i = 0; i < 3; i++) rest.push((await request(`${gateway.url}/a`)).status);
    expect(rest).to.deep.equal([200, 200, 429]);
    expect(await gateway.metric(counted)).to.equal(5);
  });
});

const inFlight = 'mgateway_requests_in_flight{route="default/a"}';

/** Scrapes without a pause and notes every counter that is lower than it was. */
function watchCounters(gateway: RunningGateway): {
  end(): Promise<{ readonly scrapes: number; readonly fallen: readonly string[] }>;
} {
  const seen = new Map<string, number>();
  const fallen: string[] = [];
  let scrapes = 0;
  let over = false;
  const run = async (): Promise<void> => {
    while (!over) {
      const text = await gateway.metrics();
      scrapes++;
      for (const line of text.split('\n')) {
        if (!/^mgateway_\w+_(total|count|sum|bucket)\b/.test(line)) continue;
        const end = line.lastIndexOf(' ');
        const [series, value] = [line.slice(0, end), Number(line.slice(end + 1))];
        const last = seen.get(series) ?? 0;
        if (value < last) fallen.push(`${series}: ${last} → ${value}`);
        seen.set(series, value);
      }
      const counters = new Set(text.split('\n').map((line) => line.slice(0, line.lastIndexOf(' '))));
      for (const series of seen.keys()) if (!counters.has(series)) fallen.push(`${series} is gone`);
    }
  };
  const running = run();
  return {
    async end() {
      over = true;
      await running;
      return { scrapes, fallen };
    },
  };
}
