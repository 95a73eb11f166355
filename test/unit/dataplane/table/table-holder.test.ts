import { expect } from 'chai';
import type { Generation } from '../../../../src/dataplane/proxy/generation.ts';
import { KeyRing } from '../../../../src/dataplane/table/key-ring.ts';
import type { Pace } from '../../../../src/dataplane/table/slices.ts';
import { TableHolder } from '../../../../src/dataplane/table/table-holder.ts';
import { Engine } from '../../../../src/dataplane/proxy/engine.ts';
import { Generation as EmptyGeneration } from '../../../../src/dataplane/proxy/generation.ts';
import { TimerWheel } from '../../../../src/dataplane/http1/timer-wheel.ts';
import { compileTrusted } from '../../../../src/routing/forwarded.ts';
import { HeaderList } from '../../../../src/routing/header-list.ts';
import { RoutingTable } from '../../../../src/routing/table.ts';
import type { Attachment } from '../../../../src/snapshot/messages.ts';
import type { EdgeSnapshot, Entry, RouteSnapshot, UpstreamSnapshot } from '../../../../src/snapshot/model.ts';
import type { WorkerMetrics } from '../../../../src/telemetry/series.ts';

describe('TableHolder', () => {
  it('serves a prepared generation from its commit on and not before', async () => {
    const { holder, engine, stage } = createHolder();
    stage(1, [upstream('a'), route('one', 'a')]);
    expect(await holder.prepare(1)).to.deep.equal([]);
    expect(find(engine.current)).to.equal(undefined);
    holder.commit(1);
    expect(find(engine.current)).to.equal('default/one');
  });

  it('never changes a generation that has been committed (G2)', async () => {
    const { holder, engine, stage } = createHolder();
    stage(1, [upstream('a'), route('one', 'a')]);
    await holder.prepare(1);
    holder.commit(1);
    const first = engine.current;
    stage(2, [upstream('b'), route('two', 'b')], ['Route/default/one', 'Upstream/a']);
    await holder.prepare(2);
    holder.commit(2);
    expect(find(first)).to.equal('default/one');
    expect(find(engine.current)).to.equal('default/two');
  });

  it('refuses what does not start from what is served (G3)', async () => {
    const { holder, stage } = createHolder();
    stage(3, [upstream('a')]);
    await holder.prepare(3);
    holder.commit(3);
    expect(() => holder.stage({ generation: 4, base: 2, set: [], removed: [] }, [])).to.throw(
      'starts from generation 2',
    );
    expect(() => holder.stage({ generation: 2, base: 3, set: [], removed: [] }, [])).to.throw('not newer');
    expect(() => holder.commit(4)).to.throw('not prepared');
  });

  it('changes nothing and keeps nothing if anything of the candidate fails (G4)', async () => {
    const { holder, engine, stage, held } = createHolder();
    stage(1, [upstream('a'), route('one', 'a')]);
    await holder.prepare(1);
    holder.commit(1);
    const before = { generation: engine.current, held: held() };
    stage(2, [upstream('b'), route('two', 'b'), middleware('broken')]);
    const failures = await holder.prepare(2);
    expect(failures.map(({ key, code }) => ({ key, code }))).to.deep.equal([
      { key: 'Middleware/default/broken', code: 'Invalid' },
    ]);
    holder.abort();
    expect({ generation: engine.current, held: held() }).to.deep.equal(before);
    stage(3, [upstream('b'), route('two', 'b')]);
    expect(await holder.prepare(3)).to.deep.equal([]);
    holder.abort();
    expect(held()).to.deep.equal(before.held);
  });

  it('takes over unchanged upstreams and the endpoints of changed ones (G6)', async () => {
    const { holder, engine, stage } = createHolder();
    stage(1, [upstream('a'), upstream('b'), route('one', 'a'), route('other', 'b')]);
    await holder.prepare(1);
    holder.commit(1);
    const [a, b] = [picked(engine.current, 'default/one'), picked(engine.current, 'default/other')];
    stage(2, [upstream('b', { strategy: 'Random' })]);
    await holder.prepare(2);
    holder.commit(2);
    expect(picked(engine.current, 'default/one')).to.equal(a);
    expect(picked(engine.current, 'default/other')).not.to.equal(b);
    expect(picked(engine.current, 'default/other')?.endpoints[0]).to.equal(b?.endpoints[0]);
  });

  it('releases what came and went when the last exchange that could use it has ended', async () => {
    const { holder, engine, stage, held } = createHolder();
    stage(1, [upstream('a'), route('one', 'a')]);
    await holder.prepare(1);
    holder.commit(1);
    const first = engine.current;
    first.enter();
    stage(2, [upstream('b'), route('one', 'b')], ['Upstream/a']);
    await holder.prepare(2);
    holder.commit(2);
    const second = engine.current;
    second.enter();
    stage(3, [upstream('c'), route('one', 'c')], ['Upstream/b']);
    await holder.prepare(3);
    holder.commit(3);
    expect(held()).to.include({ 'upstream a': 1, 'upstream b': 1, 'upstream c': 1, 'route default/one': 3 });
    second.leave();
    expect(held()).to.include({ 'upstream a': 1, 'route default/one': 2 });
    expect(held()).not.to.have.property('upstream b');
    first.leave();
    expect(held()).to.deep.equal({
      'route _none': 1,
      'upstream c': 1,
      'endpoint c http://c': 1,
      'route default/one': 1,
    });
  });

  it('binds a route anew when a Gateway-wide middleware changes, and no other way forgets it', async () => {
    const { holder, engine, stage } = createHolder();
    stage(1, [
      upstream('a'),
      route('one', 'a'),
      edge({ middlewares: ['Middleware/default/wide'] }),
      middleware('wide', { set: {} }),
    ]);
    expect(await holder.prepare(1)).to.deep.equal([]);
    holder.commit(1);
    expect(target(engine.current, 'default/one')).to.include({ unsecured: false });
    stage(2, [], ['Middleware/default/wide']);
    await holder.prepare(2);
    holder.commit(2);
    expect(target(engine.current, 'default/one')).to.include({ unsecured: true });
  });

  it('keeps once what routes say alike, and apart what differs in anything', async () => {
    const { holder, engine, stage } = createHolder();
    const like = (name: string, change: Partial<RouteSnapshot['timeouts']>): Entry => {
      const { json } = route(name, 'a', ['Middleware/default/m']);
      const snapshot = JSON.parse(json) as RouteSnapshot;
      return entry(`Route/default/${name}`, { ...snapshot, timeouts: { ...snapshot.timeouts, ...change } });
    };
    stage(1, [
      upstream('a'),
      middleware('m', { set: {} }),
      like('one', {}),
      like('two', {}),
      like('three', { webSocketMs: 7 }),
    ]);
    expect(await holder.prepare(1)).to.deep.equal([]);
    holder.commit(1);
    const [one, two, three] = ['one', 'two', 'three'].map((name) =>
      target(engine.current, `default/${name}`),
    );
    expect(two?.snapshot.timeouts).to.equal(one?.snapshot.timeouts);
    expect(two?.split).to.equal(one?.split);
    expect(three?.snapshot.timeouts).to.deep.equal({ ...one?.snapshot.timeouts, webSocketMs: 7 });
  });

  it('lets traffic in after about a millisecond of work, once there is any', async () => {
    const clock = createWorkClock();
    const { holder, stage } = createHolder(clock);
    // Each look at the clock stands for the work since the last: 0.2 ms.
    const many = Array.from({ length: 1_000 }, (_, i) => [
      middleware(`m${i}`, { set: {} }),
      route(`r${i}`, 'a', [`Middleware/default/m${i}`]),
    ]).flat();
    stage(1, [upstream('a'), ...many]);
    await holder.prepare(1);
    holder.commit(1);
    expect(clock.rests, 'rests before anything is served').to.equal(0);
    stage(2, many);
    clock.begin();
    await holder.prepare(2);
    expect(clock.rests).to.be.greaterThan(200);
    expect(clock.longestMs).to.be.within(1, 2);
    holder.commit(2);
    expect(clock.longestMs).to.be.within(1, 2);
  });
});

/** Every look at it takes a fifth of a millisecond; rests take one and a half. */
function createWorkClock(): Pace & {
  begin(): void;
  readonly rests: number;
  /** Of work without a rest since the beginning. */
  readonly longestMs: number;
} {
  let now = 0;
  let rested = 0;
  let rests = 0;
  let longestMs = 0;
  return {
    begin: () => void (rested = now),
    clock: () => (now += 0.2),
    rest: async () => {
      rests++;
      longestMs = Math.max(longestMs, now - rested);
      now += 1.5;
      rested = now;
    },
    get rests() {
      return rests;
    },
    get longestMs() {
      return longestMs;
    },
  };
}

/** `pace`: of the work beside traffic; default: as if it took no time. */
function createHolder(pace: Pace = { clock: () => 0, rest: async () => undefined }): {
  readonly holder: TableHolder;
  readonly engine: Engine;
  readonly stage: (generation: number, entries: readonly Entry[], removed?: readonly string[]) => void;
  readonly held: () => Readonly<Record<string, number>>;
} {
  const { metrics, held } = countingMetrics();
  const wheel = new TimerWheel();
  const silent = {
    error: () => undefined,
    warn: () => undefined,
    info: () => undefined,
    debug: () => undefined,
  };
  const tlsClient = {
    context: () => {
      throw new Error('no TLS here');
    },
  };
  const first = new EmptyGeneration({
    number: 0,
    edge: JSON.parse(edge({}).json) as EdgeSnapshot,
    table: RoutingTable.empty(),
    trusted: compileTrusted([]),
  });
  const readBuffer = Buffer.alloc(0);
  const engine = new Engine({
    first,
    metrics,
    wheel,
    log: silent,
    accessLog: undefined,
    tap: undefined,
    tlsClient,
    readBuffer,
    clock: () => 0,
    requestIdPrefix: '',
  });
  const holder = new TableHolder(engine, {
    ...{ metrics, wheel, engine, tlsClient, readBuffer, pace, workerIndex: 0, workers: 1, shared: false },
    modulesDir: undefined,
    now: () => 0,
    random: () => 0.5,
    keys: new KeyRing(() => undefined),
    hookFailed: () => undefined,
  });
  let base = 0;
  const stage = (generation: number, entries: readonly Entry[], removed: readonly string[] = []): void => {
    base = engine.current.number;
    holder.stage({ generation, base, set: entries, removed }, entries.flatMap(attachment));
  };
  return { holder, engine, stage, held };
}

function attachment(entry: Entry): Attachment[] {
  if (!entry.key.startsWith('Upstream/')) return [];
  const buffer = new SharedArrayBuffer(64);
  new Int32Array(buffer)[0] = 1;
  return [{ kind: 'Upstream', key: entry.key, cells: [{ buffer, offset: 0 }] }];
}

/** Counts what is bound and not released. */
function countingMetrics(): {
  readonly metrics: WorkerMetrics;
  readonly held: () => Readonly<Record<string, number>>;
} {
  const counts = new Map<string, number>();
  const retain = (label: string): { release(): void } => {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    return { release: () => void counts.set(label, (counts.get(label) ?? 0) - 1) };
  };
  const nothing = (): undefined => undefined;
  const metrics: WorkerMetrics = {
    route: (name) => ({ begin: nothing, end: nothing, ...retain(`route ${name}`) }),
    upstream: (name) => ({ observe: nothing, retried: nothing, ...retain(`upstream ${name}`) }),
    endpoint: (name, url) => ({ answered: nothing, ...retain(`endpoint ${name} ${url}`) }),
    listener: (name) => ({
      opened: nothing,
      closed: nothing,
      refused: nothing,
      ...retain(`listener ${name}`),
    }),
    rejected: nothing,
  };
  return { metrics, held: () => Object.fromEntries([...counts].filter(([, count]) => count !== 0)) };
}

function entry(key: string, value: unknown): Entry {
  const json = JSON.stringify(value);
  return { key, hash: json, json };
}

function upstream(name: string, change: Partial<UpstreamSnapshot> = {}): Entry {
  const endpoint = { url: `http://${name}`, tls: false, host: name, port: 80, weight: 1 };
  return entry(`Upstream/${name}`, {
    ...{
      name,
      endpoints: [endpoint],
      strategy: 'RoundRobin',
      connectTimeoutMs: 1,
      keepAliveTimeoutMs: 1,
      maxConnections: 1,
    },
    ...change,
  } satisfies UpstreamSnapshot);
}

function route(name: string, to: string, middlewares: readonly string[] = []): Entry {
  const snapshot: RouteSnapshot = {
    ...{
      name: `default/${name}`,
      priority: 0,
      hostnames: [],
      middlewares,
      hostHeader: 'Preserve',
      drainMs: 0,
    },
    matches: [{ path: { type: 'Exact', value: '/x' }, methods: [], headers: [], query: [] }],
    upstreams: [{ key: `Upstream/${to}`, weight: 1 }],
    timeouts: { requestMs: 0, attemptMs: 0, idleMs: 0 },
  };
  return entry(`Route/default/${name}`, snapshot);
}

function edge(change: Partial<EdgeSnapshot>): Entry {
  const limits = {
    ...{
      requestHeadBytes: 1,
      requestTargetBytes: 1,
      requestHeaderFields: 1,
      requestBodyBytes: 0,
      connections: 0,
    },
    ...{ headTimeoutMs: 1, keepAliveTimeoutMs: 1, bodyIdleTimeoutMs: 1 },
  };
  return entry('Edge', { trustedProxies: [], middlewares: [], limits, ...change } satisfies EdgeSnapshot);
}

/** Of a type that exists, or (without a config) of one that does not. */
function middleware(name: string, config?: unknown): Entry {
  const type = config === undefined ? 'noSuchThing' : 'requestHeaders';
  return entry(`Middleware/default/${name}`, { name: `default/${name}`, type, config, keys: [] });
}

function find(generation: Generation): string | undefined {
  const request = { host: 'h', path: '/x', method: 'GET', headers: new HeaderList(), query: '' };
  const match = generation.table.match(request);
  return match.kind === 'matched' ? match.route : undefined;
}

function target(generation: Generation, name: string): ReturnType<Generation['table']['get']> {
  return generation.table.get(name);
}

function picked(
  generation: Generation,
  name: string,
): ReturnType<NonNullable<ReturnType<typeof target>>['split']['pick']> {
  return target(generation, name)?.split.pick();
}
