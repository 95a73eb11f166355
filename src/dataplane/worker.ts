/** Entry of a data-plane thread: the only file of this room that knows it is a thread. */
import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { RoutingTable } from '../routing/table.ts';
import { compileTrusted } from '../routing/forwarded.ts';
import type { MainToWorker, WorkerData, WorkerToMain } from '../snapshot/messages.ts';
import type { EdgeSnapshot } from '../snapshot/model.ts';
import { createAccessLog } from '../telemetry/access-log.ts';
import { startLoopDelay } from '../telemetry/loop-delay.ts';
import { createRequestTap } from '../telemetry/request-tap.ts';
import { createThreadLogger } from '../telemetry/thread-logger.ts';
import { createWorkerMetrics } from '../telemetry/worker-metrics.ts';
import { createReadBuffer } from './http1/shared-buffer-socket.ts';
import { TimerWheel } from './http1/timer-wheel.ts';
import { logExchange } from './proxy/access-entry.ts';
import { drain, windDown } from './proxy/drain.ts';
import { Engine } from './proxy/engine.ts';
import { Generation } from './proxy/generation.ts';
import { KeyRing } from './table/key-ring.ts';
import { restForTraffic } from './table/slices.ts';
import { TableHolder } from './table/table-holder.ts';
import { caCertificates } from './upstream/ca-certificates.ts';

/** Several times in the ten seconds after which main takes a worker for stuck. */
const heartbeatMs = 250;

function start(port: MessagePort, data: WorkerData): void {
  const { settings, workerIndex, workers } = data;
  const post = (message: WorkerToMain): void => port.postMessage(message);
  const log = createThreadLogger({
    level: settings.logLevel,
    post: (records) => post({ type: 'Log', records }),
  });
  const metrics = createWorkerMetrics({ workerIndex, maxSeries: settings.maxSeries, post });
  const accessLog = settings.accessLog
    ? createAccessLog({ format: settings.accessLogFormat, post })
    : undefined;
  const wheel = new TimerWheel();
  const clock = (): number => performance.now();
  const tlsClient = { context: once(() => createSecureContext({ ca: caCertificates(process.env) })) };
  const readBuffer = createReadBuffer();
  const engine = new Engine({
    first: nothing(),
    metrics,
    wheel,
    log,
    accessLog:
      accessLog === undefined
        ? undefined
        : (exchange, code, seconds) => logExchange(accessLog, exchange, code, seconds, Date.now()),
    tap: data.ring === undefined ? undefined : createRequestTap(data.ring),
    clock,
    tlsClient,
    readBuffer,
    requestIdPrefix: `${randomBytes(8).toString('hex')}-`,
  });
  const keys = new KeyRing((id) => post({ type: 'RefreshKeys', id }));
  const holder = new TableHolder(engine, {
    metrics,
    wheel,
    engine,
    keys,
    pace: { clock, rest: restForTraffic },
    workerIndex,
    workers,
    shared: workers > 1,
    modulesDir: settings.modulesDir,
    now: Date.now,
    random: Math.random,
    tlsClient,
    readBuffer,
    hookFailed: ({ name, phase, error }) =>
      log.error('middleware failed', {
        middleware: name,
        phase,
        error: error instanceof Error ? error.stack : String(error),
      }),
  });

  const heartbeat = new Int32Array(data.heartbeat);
  Atomics.add(heartbeat, workerIndex, 1);
  setInterval(() => Atomics.add(heartbeat, workerIndex, 1), heartbeatMs).unref();
  const loopDelay = startLoopDelay({ report: (seconds) => metrics.loopDelay(seconds) });

  const handle = async (message: MainToWorker): Promise<void> => {
    switch (message.type) {
      case 'Chunk':
        holder.stage(message.delta, message.attachments);
        post({ type: 'ChunkTaken', generation: message.delta.generation });
        return;
      case 'Keys':
        if (message.generation === undefined) keys.take(message.materials);
        else keys.stage(message.materials);
        keys.forget(message.forget ?? []);
        return;
      case 'KeysRefreshed':
        keys.refreshed(message.id);
        return;
      case 'Prepare': {
        const failures = await holder.prepare(message.generation);
        post({ type: 'Prepared', generation: message.generation, failures });
        return;
      }
      case 'Commit':
        holder.commit(message.generation);
        post({ type: 'Committed', generation: message.generation });
        return;
      case 'Abort':
        holder.abort();
        return;
      case 'WindDown':
        windDown(engine, holder.listeners);
        return;
      case 'Drain':
        await drain(engine, holder.listeners, message.timeoutMs);
        loopDelay.close();
        accessLog?.flush();
        metrics.flush();
        log.flush();
        post({ type: 'Drained' });
    }
  };
  // A message that cannot be handled means that main and worker disagree on what is served: let main start another worker.
  port.on('message', (message: MainToWorker) => {
    handle(message).catch((error: unknown) => {
      throw error;
    });
  });
  post({ type: 'Started' });
}

/** Before the first commit: no listener, no route. */
function nothing(): Generation {
  const edge: EdgeSnapshot = {
    trustedProxies: [],
    middlewares: [],
    limits: {
      requestHeadBytes: 0,
      requestTargetBytes: 0,
      requestHeaderFields: 0,
      requestBodyBytes: 0,
      connections: 0,
      headTimeoutMs: 0,
      keepAliveTimeoutMs: 0,
      bodyIdleTimeoutMs: 0,
    },
  };
  return new Generation({ number: 0, edge, table: RoutingTable.empty(), trusted: compileTrusted([]) });
}

function once(make: () => SecureContext): () => SecureContext {
  let made: SecureContext | undefined;
  return () => (made ??= make());
}

if (parentPort === null) throw new Error('this file is the entry of a worker thread');
start(parentPort, workerData as WorkerData);
