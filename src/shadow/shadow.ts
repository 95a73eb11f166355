import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { MainToShadow, ShadowThreadData, ShadowToMain } from '../snapshot/shadow-messages.ts';
import type { TappedRequest } from '../telemetry/request-tap.ts';
import { createThreadLogger } from '../telemetry/thread-logger.ts';
import { startCandidate } from './candidate.ts';
import { Comparer } from './comparer.ts';
import { Intake } from './intake.ts';
import type { ShadowReport } from './report.ts';
import { ServedGenerations } from './served-generations.ts';
import { ShadowKeys } from './shadow-keys.ts';
import { Tally } from './tally.ts';

export interface Shadow {
  receive(message: MainToShadow): void;
}

/** Between two looks into rings that were empty. */
const pollMs = 25;
/** Then messages and file events have their turn. */
const sliceMs = 10;
const countsEveryMs = 1_000;
/** Of failures: each kind of fault is said, a flood of them is not. */
const maxFailuresLogged = 10;

/** Compares what workers put into their rings, as long as its thread lives; everything it says goes through `send`. */
export function startShadow(data: ShadowThreadData, send: (message: ShadowToMain) => void): Shadow {
  const { paths, logLevel, modulesDir, versionKey } = data;
  const log = createThreadLogger({ level: logLevel, post: (records) => send({ type: 'Log', records }) });
  const intake = new Intake(data.rings);
  const keys = new ShadowKeys(send);
  const served = new ServedGenerations(keys);
  const tally = new Tally(Date.now);
  const candidate = startCandidate({
    data: { paths, logLevel, versionKey, ...(modulesDir !== undefined && { modulesDir }) },
    log: (records) => send({ type: 'Log', records }),
    keys,
    changed: () => restart(),
  });
  /** One of both is another one. */
  const restart = (): void => {
    keys.want([served.latest, candidate.current]);
    tally.restart();
  };
  let comparer: Comparer | undefined;
  let failures = 0;

  /** Undefined: what it was decided by is gone. */
  const comparerOf = (generation: number): Comparer | undefined => {
    const { current } = candidate;
    if (comparer?.served.generation === generation && comparer.candidate === current) return comparer;
    const configuration = served.find(generation);
    if (configuration === undefined || current === undefined) return undefined;
    return (comparer = new Comparer(configuration, current));
  };

  const failed = (error: unknown): void => {
    tally.drop('failed', 1);
    if (++failures <= maxFailuresLogged) log.error('request could not be compared', { error });
  };

  /** A promise only where there is something to wait for. */
  const compare = (request: TappedRequest): void | Promise<void> => {
    if (candidate.current === undefined) return tally.drop('candidate', 1);
    const chosen = comparerOf(request.generation);
    if (chosen === undefined) return tally.drop('generation', 1);
    try {
      const comparison = chosen.compare(request);
      if (!(comparison instanceof Promise)) return tally.add(comparison);
      return comparison.then((late) => tally.add(late)).catch(failed);
    } catch (error) {
      return failed(error);
    }
  };

  const run = async (): Promise<void> => {
    let until = performance.now() + sliceMs;
    while (keys.ready) {
      const request = intake.take(served.latest?.generation ?? 0);
      if (request === undefined) return;
      const comparing = compare(request);
      if (comparing !== undefined) await comparing;
      if (performance.now() < until) continue;
      await nextTurn();
      until = performance.now() + sliceMs;
    }
  };
  void (async () => {
    for (;;) {
      await run();
      await wait(pollMs);
    }
  })();

  const tellCounts = (): void => {
    tally.drop('behind', intake.takeDropped());
    const counts = tally.take();
    if (counts !== undefined) send({ type: 'Counted', ...counts });
  };
  // The counters are there from the start: a rate over one that appears with its first event misses it.
  send({ type: 'Counted', requests: [], changes: [], dropped: [], gone: [] });
  setInterval(tellCounts, countsEveryMs);

  const report = async (): Promise<ShadowReport> => {
    tellCounts();
    const status = await candidate.status();
    return {
      enabled: true,
      candidate: status,
      served: { generation: served.latest?.generation ?? 0 },
      comparing: candidate.current !== undefined && served.latest !== undefined && keys.ready,
      ...tally.report(),
    };
  };

  return {
    receive(message) {
      switch (message.type) {
        case 'Chunk':
          served.stage(message.delta);
          return;
        case 'Served':
          tally.forget(served.commit(message.generation));
          restart();
          return;
        case 'Keys':
          keys.take(message);
          return;
        case 'Reconcile':
          candidate.reconcile();
          return;
        case 'Query':
          report().then(
            (value) => send({ type: 'Answer', id: message.id, value }),
            (error: unknown) => send({ type: 'Answer', id: message.id, error: String(error) }),
          );
      }
    },
  };
}
