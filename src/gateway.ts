/** The composition root: the only file that knows all threads and rooms. */
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { createEndpointHealth } from './admin/endpoint-health.ts';
import type { Settings } from './cli/settings.ts';
import { caCertificates } from './dataplane/upstream/ca-certificates.ts';
import type { ConfigStatus, ConfigToMain, MainToWorker, Pin, WorkerToMain } from './snapshot/messages.ts';
import type { Entry, ListenerSnapshot } from './snapshot/model.ts';
import { PackedEntries } from './snapshot/packed-entries.ts';
import { findBusyPorts } from './supervisor/busy-ports.ts';
import { CellPages } from './supervisor/cell-pages.ts';
import { CheckedUpstreams } from './supervisor/checked-upstreams.ts';
import { systemClock } from './supervisor/clock.ts';
import { ConfigLink } from './supervisor/config-link.ts';
import type { EarlyThread } from './supervisor/early-thread.ts';
import { EndpointCellStore } from './supervisor/endpoint-cells.ts';
import { LimiterMemory } from './supervisor/limiter-memory.ts';
import type { Member } from './supervisor/member.ts';
import { Publisher } from './supervisor/publisher.ts';
import type { CommittedChange } from './supervisor/publisher.ts';
import { describeBlockedStart, describeListener, describeProblem } from './supervisor/start-texts.ts';
import { ShadowLink } from './supervisor/shadow-link.ts';
import { startThread } from './supervisor/thread.ts';
import { WorkerPool } from './supervisor/worker-pool.ts';
import type { WorkerSlabs } from './telemetry/metric-slabs.ts';
import { configStart, shadowStart, startThreads, workerStart } from './threads.ts';
import type { EarlyThreads } from './threads.ts';

export interface Gateway {
  /** Resolves once it has ended: undefined after `stop`, else why it could not go on. */
  readonly ended: Promise<string | undefined>;
  /** Reads the configuration now. */
  reconcile(): void;
  /** Not ready at once; serves on for the delay, lets what is under way finish, ends. */
  stop(shutdownDelayMs: number): void;
  /** Ends now, whatever is under way. */
  abandon(): void;
}

/** Rejects with a message for people if the program cannot start. */
export async function startGateway(settings: Settings, version: string): Promise<Gateway> {
  const early = startThreads(settings);
  const gateway = compose({ settings, version, early, rooms: await loadRooms() });
  await gateway.open();
  return gateway;
}

/** Loaded while the threads load theirs. */
async function loadRooms() {
  const [logger, accessLog, metrics, admin, health, keys, registry, limiter] = await Promise.all([
    import('./telemetry/logger.ts'),
    import('./telemetry/access-log-writer.ts'),
    import('./telemetry/metrics.ts'),
    import('./admin/admin-server.ts'),
    import('./health/health-service.ts'),
    import('./keys/key-service.ts'),
    import('./middleware/registry.ts'),
    import('./middleware/rate-limit/slab.ts'),
  ]);
  const { readLimiterStats } = limiter;
  return { ...logger, ...accessLog, ...metrics, ...admin, ...health, ...keys, ...registry, readLimiterStats };
}

type Rooms = Awaited<ReturnType<typeof loadRooms>>;

interface Parts {
  readonly settings: Settings;
  readonly version: string;
  readonly early: EarlyThreads;
  readonly rooms: Rooms;
}

// ---- composition ---------------------------------------------------------------------------------------------------

function compose({ settings, version, early, rooms }: Parts): Gateway & { open(): Promise<void> } {
  const clock = systemClock;
  const metrics = rooms.createMetrics({ version });
  const log = rooms.createRootLogger({
    level: settings.logLevel,
    ...(settings.logFormat === undefined ? {} : { format: settings.logFormat }),
    onDropped: (lines) => metrics.logDropped('runtime', lines),
  });
  const accessLog = rooms.createAccessLogWriter({
    onDropped: (lines) => metrics.logDropped('access', lines),
  });
  const pages = new CellPages(settings.workers, () => clock.now());
  const endpoints = new EndpointCellStore(pages);
  const limiters = new LimiterMemory(rooms.findMiddleware);
  const checkedUpstreams = new CheckedUpstreams(endpoints);
  const endpointHealth = createEndpointHealth();
  let trusted: SecureContext | undefined;
  // What workers verify upstreams by. Made when it is needed: it takes memory.
  const trust = (): SecureContext => (trusted ??= createSecureContext({ ca: caCertificates(process.env) }));
  const health = rooms.createHealthService({
    log,
    clock,
    trust,
    onVerdict: (upstream, endpoint, healthy) => {
      metrics.endpointHealthy(upstream, endpoint, healthy);
      endpointHealth.note(upstream, endpoint, healthy);
    },
  });
  const keys = rooms.createKeyService({
    log,
    trust,
    onChange: (materials) => {
      pool.broadcast({ type: 'Keys', materials });
      shadow?.updateKeys(materials);
    },
  });

  const publisher = new Publisher({
    members: () => pool.members,
    limiters,
    endpoints,
    keys,
    // A single worker binds its ports alone and is told itself.
    findBusyPorts: settings.workers > 1 ? findBusyPorts : () => Promise.resolve([]),
    clock,
    log,
    reply: (message) => config.post(message),
    committed: (change) => {
      forgetSeries(change);
      listeners = listenersOf(publisher.listeners);
      const upstreams = checkedUpstreams.apply(change);
      if (upstreams !== undefined) health.update(upstreams);
      shadow?.update(publisher);
      announce();
    },
    refused: (failures, wanted) => {
      if (publisher.generation > 0) return;
      const reason = describeBlockedStart(failures, wanted);
      if (reason !== undefined) fail(reason);
    },
  });

  const slabs: (WorkerSlabs | undefined)[] = [];
  const pool = new WorkerPool({
    size: settings.workers,
    heartbeat: early.lasting.heartbeat,
    clock,
    log,
    startThread: (index, events) => {
      const first = slabs[index] === undefined;
      if (first) return (early.workers[index] as EarlyThread<MainToWorker, WorkerToMain>).claim(events);
      metrics.workerRestarted();
      return startThread(workerStart(settings, early.lasting, index), events);
    },
    joined: (member) => {
      slabs[member.index] = metrics.openWorker();
      if (stopping) member.send({ type: 'WindDown' });
      publisher.join(member).catch((error: unknown) => {
        log.error('a worker could not be brought up', { worker: member.index, error });
        member.end('it could not be brought up');
      });
    },
    message: (member, message) => workerSaid(member, message),
    left: ({ index }) => {
      slabs[index]?.close();
      pages.forgetWorker(index);
    },
  });

  let pin: Pin | undefined;
  let servedHash = '';
  let kept: Uint8Array | undefined;
  const beforeCrash = (): Parameters<typeof configStart>[2] => {
    const { entries, generation } = publisher;
    const parts = entries.partsSince(PackedEntries.none);
    return {
      servedGeneration: generation,
      ...(pin !== undefined && { pinned: { ...pin, entries: [...entries.values()] } }),
      ...(kept !== undefined && { survived: { parts, servedHash, state: kept } }),
    };
  };
  let configStarts = 0;
  const config = new ConfigLink({
    clock,
    log,
    startThread: (events) =>
      configStarts++ === 0
        ? early.config.claim(events)
        : startThread(configStart(settings, early.lasting, beforeCrash()), events),
    message: (message) => configSaid(message),
    died: () => publisher.reset(),
  });

  const shadow =
    settings.shadow.length === 0
      ? undefined
      : new ShadowLink({
          clock,
          log,
          startThread: (events) => startThread(shadowStart(settings, early.lasting), events),
          message: (message) => {
            if (message.type === 'Log') log.write(message.records);
            else metrics.shadowCounted(message);
          },
          peekKeys: (references) => keys.peek(references),
        });

  const admin = rooms.createAdminServer({
    address: settings.admin,
    ...(settings.probes === undefined ? {} : { probesAddress: settings.probes }),
    metrics,
    query: (name, args) => {
      if (name === 'shadow') return shadow?.query() ?? Promise.resolve({ enabled: false });
      const answer = config.query(name, args);
      return name === 'upstreams' ? answer.then((value) => endpointHealth.addTo(value)) : answer;
    },
    command: (name, args) => config.command(name, args),
    ...(settings.adminTokenFile === undefined ? {} : { tokenFile: settings.adminTokenFile }),
    openReads: settings.adminOpenReads,
    ready: () => {
      const reason = whyNotReady();
      return reason === undefined ? { ready: true } : { ready: false, reason };
    },
    log,
  });

  const workerSaid = (member: Member, message: WorkerToMain): void => {
    switch (message.type) {
      case 'MetricPage':
      case 'MetricSeries':
        slabs[member.index]?.take(message);
        return;
      case 'Log':
        log.write(message.records);
        return;
      case 'AccessLog':
        accessLog.write(message);
        return;
      case 'RefreshKeys':
        void keys.refresh(message.id).then(() => member.send({ type: 'KeysRefreshed', id: message.id }));
        return;
      case 'Started':
        log.debug('worker started', { worker: member.index });
        return;
      case 'ChunkTaken':
      case 'Prepared':
      case 'Committed':
      case 'Drained':
        // Answers after their time: nobody waits for them any more.
        return;
    }
  };

  const configSaid = (message: Exclude<ConfigToMain, { readonly type: 'Answer' }>): void => {
    switch (message.type) {
      case 'Chunk':
      case 'Publish':
        publisher.handle(message);
        return;
      case 'Status':
        ({ pin, servedHash } = message.status);
        metrics.configStatus(message.status satisfies ConfigStatus);
        return;
      case 'Keep':
        kept = message.state;
        return;
      case 'StateTrouble':
        metrics.stateTrouble(message.failing);
        return;
      case 'Log':
        log.write(message.records);
        return;
      case 'Fatal':
        fail([message.message, ...message.problems.map(describeProblem)].join('\n'));
        return;
    }
  };

  const forgetSeries = ({ removed }: CommittedChange): void => {
    const owners = removed.flatMap((key) => {
      if (key.startsWith('Route/')) return { route: nameOf(key) };
      return key.startsWith('Upstream/') ? { upstream: nameOf(key) } : [];
    });
    if (owners.length > 0) metrics.forget(owners);
  };

  let limitersTold = new Set<string>();
  metrics.beforeScrape(() => {
    const told = new Set<string>();
    for (const [key, memory] of limiters.ofType('rateLimit')) {
      const name = nameOf(key);
      told.add(name);
      metrics.limiterStats(name, rooms.readLimiterStats(memory));
    }
    for (const name of limitersTold) if (!told.has(name)) metrics.limiterStats(name, undefined);
    limitersTold = told;
  });

  let listeners: readonly ListenerSnapshot[] = [];
  let stopping = false;
  const whyNotReady = (): string | undefined => {
    if (stopping) return 'stopping';
    if (publisher.generation === 0) return 'no configuration is served yet';
    if (listeners.length === 0) return 'no listener is configured';
    return pool.servingCount === 0 ? 'no worker serves' : undefined;
  };
  let announced = false;
  const announce = (): void => {
    if (announced || whyNotReady() !== undefined) return;
    announced = true;
    log.info('ready', {
      listeners: listeners.map(({ address, port }) => describeListener(address, port)),
      workers: settings.workers,
      generation: publisher.generation,
      seconds: Math.round(process.uptime() * 1000) / 1000,
    });
  };

  let end: (reason: string | undefined) => void = () => undefined;
  const ended = new Promise<string | undefined>((resolve) => (end = resolve));
  const close = async (): Promise<void> => {
    stopping = true;
    const configEnded = config.stop();
    shadow?.stop();
    pool.stop();
    health.close();
    keys.close();
    await admin.close();
    // Before the logs: it may have a last word.
    await configEnded;
    await log.close();
    await accessLog.close();
  };
  const fail = (reason: string): void => {
    if (stopping) return;
    void close().finally(() => end(reason));
  };
  const stop = async (shutdownDelayMs: number): Promise<void> => {
    log.info('stopping', { shutdownDelayMs, drainTimeoutMs: settings.drainTimeoutMs });
    pool.broadcast({ type: 'WindDown' });
    await new Promise<void>((resolve) => clock.after(shutdownDelayMs, resolve));
    void config.stop();
    await pool.drain(settings.drainTimeoutMs);
    log.info('stopped');
    await close();
  };

  return {
    ended,
    async open() {
      pool.start();
      config.start();
      try {
        await admin.listen();
      } catch (error) {
        await close();
        throw error;
      }
      const { admin: bound, probes } = admin.addresses();
      log.info('admin listens', {
        admin: describeListener(bound.host, bound.port),
        ...(probes === undefined ? {} : { probes: describeListener(probes.host, probes.port) }),
      });
    },
    reconcile() {
      config.post({ type: 'Reconcile' });
      shadow?.reconcile();
    },
    stop(shutdownDelayMs) {
      if (stopping) return;
      stopping = true;
      stop(shutdownDelayMs).then(
        () => end(undefined),
        (error: unknown) => end(error instanceof Error ? error.message : String(error)),
      );
    },
    abandon() {
      pool.stop();
      void config.stop();
      shadow?.stop();
      end('a second signal: ended before everything was finished');
    },
  };
}

function listenersOf(entries: ReadonlyMap<string, Entry>): readonly ListenerSnapshot[] {
  return [...entries.values()].map(({ json }) => JSON.parse(json) as ListenerSnapshot);
}

/** What stands in metrics for a key: all behind its kind. */
function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
