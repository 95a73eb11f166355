/** What each thread is started with. The only file besides the composition root that knows where their entries are. */
import type { Settings } from './cli/settings.ts';
import type {
  ConfigThreadData,
  ConfigToMain,
  MainToConfig,
  MainToWorker,
  WorkerData,
  WorkerToMain,
} from './snapshot/messages.ts';
import { startEarlyThread } from './supervisor/early-thread.ts';
import type { EarlyThread } from './supervisor/early-thread.ts';
import { threadEntry } from './supervisor/thread.ts';
import type { ThreadStart } from './supervisor/thread.ts';

/**
 * What a request makes dies with it. A young generation that fits the processor's cache costs 8 % less CPU per request
 * than V8's 48 MiB, halves the pauses and takes 20 MiB less (docs/performance.md).
 */
const workerYoungGenerationMb = 6;
/** The config thread mostly sleeps: 8 MiB parse 10,000 documents as fast as 48, and idle it is 7 MiB less. */
const configYoungGenerationMb = 8;
/** More label sets than this are counted together as `_other`. */
const maxSeries = 20_000;

/** Started before main has loaded its own code. */
export interface EarlyThreads {
  readonly heartbeat: SharedArrayBuffer;
  readonly config: EarlyThread<MainToConfig, ConfigToMain>;
  readonly workers: readonly EarlyThread<MainToWorker, WorkerToMain>[];
}

export function startThreads(settings: Settings): EarlyThreads {
  const heartbeat = new SharedArrayBuffer(4 * settings.workers);
  return {
    heartbeat,
    config: startEarlyThread(configStart(settings, { servedGeneration: 0 })),
    workers: Array.from({ length: settings.workers }, (_, index) =>
      startEarlyThread(workerStart(settings, index, heartbeat)),
    ),
  };
}

/** `before`: what is left of the thread that crashed. */
export function configStart(
  settings: Settings,
  before: Pick<ConfigThreadData, 'servedGeneration' | 'pinned' | 'survived'>,
): ThreadStart {
  const { config, strict, logLevel, modulesDir, stateDir } = settings;
  const data: ConfigThreadData = {
    ...before,
    paths: config,
    strict,
    logLevel,
    ...(modulesDir !== undefined && { modulesDir }),
    ...(stateDir !== undefined && { stateDir }),
  };
  return {
    entry: threadEntry('./controller/config-thread', import.meta.url),
    name: 'config',
    data,
    youngGenerationMb: configYoungGenerationMb,
  };
}

export function workerStart(
  settings: Settings,
  workerIndex: number,
  heartbeat: SharedArrayBuffer,
): ThreadStart {
  const { workers, logLevel, logFormat, accessLog, modulesDir } = settings;
  const isTerminal = process.stdout.isTTY;
  const data: WorkerData = {
    workerIndex,
    workers,
    heartbeat,
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
