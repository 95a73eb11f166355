/** What each thread is started with. The only file besides the composition root that knows where their entries are. */
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { Settings } from './cli/settings.ts';
import type {
  ConfigThreadData,
  ConfigToMain,
  MainToConfig,
  MainToWorker,
  WorkerData,
  WorkerToMain,
} from './snapshot/messages.ts';
import type { ShadowThreadData } from './snapshot/shadow-messages.ts';
import { startEarlyThread } from './supervisor/early-thread.ts';
import type { EarlyThread } from './supervisor/early-thread.ts';
import { threadEntry } from './supervisor/thread.ts';
import type { ThreadStart } from './supervisor/thread.ts';
import { createRequestRing } from './telemetry/request-ring.ts';

/**
 * What a request makes dies with it: V8 gets two halves of 8 MiB for it. With 2 MiB it collects four times as often, which is
 * felt where it has much to look through (100,000 routes: 12 % of all CPU); more gives nothing (docs/performance.md).
 */
const workerYoungGenerationMb = 16;
/** The config thread mostly sleeps: 8 MiB parse 10,000 documents as fast as 48, and idle it is 7 MiB less. */
const configYoungGenerationMb = 8;
/**
 * A heap that may grow beyond 2 GiB V8 lets grow to four times what is in use before it collects, one below to twice: after
 * 10,000 routes were read that is 40 MiB less that lies there as garbage, for no more CPU. Hundreds of thousands of routes fit.
 */
const configOldGenerationMb = 2000;
/**
 * Where requests wait long enough to outlive collections, V8 would make their header lists in the old generation from
 * then on ("pretenuring"). They die as young as before, and until a collection of everything finds out, each keeps all
 * that it names: up to 50 % more CPU for what is not a system call, and a full collection a second (docs/performance.md).
 */
const youngAsEver = '--no-allocation-site-pretenuring';
/** More label sets than this are counted together as `_other`. */
const maxSeries = 20_000;

/** Of each worker: what it decides in the time that the shadow thread needs to read its candidate anew. */
const ringBytes = 1024 * 1024;

/** What outlives a thread and is given to its successor. */
export interface Lasting {
  readonly heartbeat: SharedArrayBuffer;
  /** One for each worker; none without `--shadow`. */
  readonly rings: readonly SharedArrayBuffer[];
  readonly versionKey: Uint8Array;
}

/** Started before main has loaded its own code. */
export interface EarlyThreads {
  readonly lasting: Lasting;
  readonly config: EarlyThread<MainToConfig, ConfigToMain>;
  readonly workers: readonly EarlyThread<MainToWorker, WorkerToMain>[];
}

export function startThreads(settings: Settings): EarlyThreads {
  const { workers, shadow } = settings;
  // For all threads of the process, and only for what is compiled from here on.
  setFlagsFromString(youngAsEver);
  // libuv's pool looks up names and reads files for all threads, and has the priority of the thread that needs it first:
  // that must not be the config thread, which gives way to traffic.
  access('/', () => undefined);
  const lasting: Lasting = {
    heartbeat: new SharedArrayBuffer(4 * workers),
    rings: Array.from({ length: shadow.length === 0 ? 0 : workers }, () => createRequestRing(ringBytes)),
    versionKey: randomBytes(32),
  };
  return {
    lasting,
    config: startEarlyThread(configStart(settings, lasting, { servedGeneration: 0 })),
    workers: Array.from({ length: workers }, (_, index) =>
      startEarlyThread(workerStart(settings, lasting, index)),
    ),
  };
}

/** `before`: what is left of the thread that crashed. */
export function configStart(
  settings: Settings,
  { versionKey }: Lasting,
  before: Pick<ConfigThreadData, 'servedGeneration' | 'pinned' | 'survived'>,
): ThreadStart {
  const { config, strict, logLevel, modulesDir, stateDir, maxFileBytes, maxFiles } = settings;
  const data: ConfigThreadData = {
    ...before,
    paths: config,
    strict,
    logLevel,
    maxFileBytes,
    maxFiles,
    versionKey,
    ...(modulesDir !== undefined && { modulesDir }),
    ...(stateDir !== undefined && { stateDir }),
  };
  return {
    entry: threadEntry('./controller/config-thread', import.meta.url),
    name: 'config',
    data,
    youngGenerationMb: configYoungGenerationMb,
    oldGenerationMb: configOldGenerationMb,
  };
}

export function shadowStart(settings: Settings, { rings, versionKey }: Lasting): ThreadStart {
  const { shadow, logLevel, modulesDir } = settings;
  const data: ShadowThreadData = {
    paths: shadow,
    logLevel,
    versionKey,
    rings,
    ...(modulesDir !== undefined && { modulesDir }),
  };
  return {
    entry: threadEntry('./shadow/shadow-thread', import.meta.url),
    name: 'shadow',
    data,
    youngGenerationMb: configYoungGenerationMb,
    oldGenerationMb: configOldGenerationMb,
  };
}

export function workerStart(
  settings: Settings,
  { heartbeat, rings }: Lasting,
  workerIndex: number,
): ThreadStart {
  const { workers, logLevel, logFormat, accessLog, modulesDir } = settings;
  const isTerminal = process.stdout.isTTY;
  const ring = rings[workerIndex];
  const data: WorkerData = {
    workerIndex,
    workers,
    heartbeat,
    ...(ring !== undefined && { ring }),
    settings: {
      logLevel,
      accessLog,
      accessLogFormat: logFormat ?? (isTerminal ? 'pretty' : 'json'),
      maxSeries,
      ...(modulesDir === undefined ? {} : { modulesDir }),
    },
  };
  const entry = threadEntry('./dataplane/worker', import.meta.url);
  return { entry, name: `worker ${workerIndex}`, data, youngGenerationMb: workerYoungGenerationMb };
}
