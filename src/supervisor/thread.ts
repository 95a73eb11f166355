import { Worker } from 'node:worker_threads';

/** A running thread as main sees it. */
export interface Thread<Out> {
  post(message: Out): void;
  /** Ends it at once; `exit` is told. */
  terminate(): void;
}

export interface ThreadEvents<In> {
  readonly message: (message: In) => void;
  /** Once, always the last; `error` where an exception ended it. */
  readonly exit: (code: number, error: Error | undefined) => void;
}

export interface ThreadStart {
  readonly entry: URL;
  readonly name: string;
  readonly data: unknown;
  /** Most that V8's generations may take; undefined: V8's own choice. */
  readonly youngGenerationMb?: number;
  /** A thread that needs more ends. */
  readonly oldGenerationMb?: number;
}

/** Starts a thread. Messages posted before its code is loaded wait for it. */
export function startThread<Out, In>(start: ThreadStart, events: ThreadEvents<In>): Thread<Out> {
  const { entry, name, data, youngGenerationMb, oldGenerationMb } = start;
  const worker = new Worker(entry, {
    name,
    workerData: data,
    resourceLimits: {
      ...(youngGenerationMb !== undefined && { maxYoungGenerationSizeMb: youngGenerationMb }),
      ...(oldGenerationMb !== undefined && { maxOldGenerationSizeMb: oldGenerationMb }),
    },
  });
  let failure: Error | undefined;
  worker.on('message', (message) => events.message(message as In));
  worker.on('messageerror', (error) => (failure ??= error));
  worker.on('error', (error) => (failure ??= error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (code) => events.exit(code, failure));
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => void worker.terminate(),
  };
}

/** URL of a thread's entry beside `base`: `.ts` where sources run, `.js` once built. */
export function threadEntry(path: string, base: string): URL {
  return new URL(`${path}${base.endsWith('.ts') ? '.ts' : '.js'}`, base);
}
