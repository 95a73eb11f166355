import type { ConfigThreadData, ConfigToMain, MainToConfig } from '../snapshot/messages.ts';
import { findMiddleware } from '../middleware/registry.ts';
import { PackedEntries } from '../snapshot/packed-entries.ts';
import { createThreadLogger } from '../telemetry/thread-logger.ts';
import { systemClock } from './clock.ts';
import { Explainer } from './explain/explainer.ts';
import { openParser } from './load.ts';
import { createPublisher } from './publish/publisher.ts';
import { withCurrentKeys } from './history/current-keys.ts';
import { History } from './history/history.ts';
import { Pinning } from './history/pinning.ts';
import type { PinStore } from './history/pinning.ts';
import { startLoop } from './reconcile/loop.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { defaultCaps } from './source/caps.ts';
import { createKeyVersions } from './source/key-versions.ts';
import { createSource } from './source/source.ts';
import { HistoryFile } from './state/history-file.ts';
import { LastGood } from './state/last-good.ts';
import { PinFile } from './state/pin-file.ts';
import { fileMedium, mainMedium } from './state/state-medium.ts';
import type { StateMedium } from './state/state-medium.ts';
import { StateTrouble } from './state/state-trouble.ts';
import { createProblemLog } from './status/problem-log.ts';
import { answerQuery } from './status/queries.ts';
import type { Surroundings } from './translate/middleware.ts';

export interface Controller {
  receive(message: Exclude<MainToConfig, { readonly type: 'Stop' }>): void;
  /** Writes what waits to be kept, and stops. */
  close(): Promise<void>;
}

/** Puts the controller together and starts it: everything it says goes through `send`. */
export function startController(data: ConfigThreadData, send: (message: ConfigToMain) => void): Controller {
  const clock = systemClock;
  const log = createThreadLogger({
    level: data.logLevel,
    post: (records) => send({ type: 'Log', records }),
    clock: clock.now,
  });
  const caps = {
    ...defaultCaps,
    ...(data.maxFileBytes !== undefined && { maxFileBytes: data.maxFileBytes }),
    ...(data.maxFiles !== undefined && { maxFiles: data.maxFiles }),
  };
  const source = createSource({ paths: data.paths, caps, clock });
  const keys = createKeyVersions(process.env, data.modulesDir, data.versionKey);
  const stateTrouble: StateTrouble = new StateTrouble({
    log,
    changed: () => send({ type: 'StateTrouble', failing: stateTrouble.problems.length > 0 }),
  });
  const around: Surroundings = {
    find: findMiddleware,
    keyState: (request) => keys.state(request),
    moduleState: (path) => keys.module(path),
  };
  const [historyMedium] = mediaOf(data, 'history.jsonl');
  const historyFile =
    historyMedium &&
    new HistoryFile({ medium: historyMedium, trouble: stateTrouble, clock, lines: () => history.lines });
  const history: History = new History({
    lines: historyFile?.load() ?? [],
    refresh: (entries) => withCurrentKeys(entries, around),
    ...(historyFile !== undefined && { noted: (line) => historyFile.add(line) }),
  });
  const survived = data.survived && {
    ...data.survived,
    entries: PackedEntries.none.taking(data.survived.parts),
  };
  const publisher = createPublisher(
    send,
    Math.max(data.servedGeneration, history.last),
    survived && { generation: data.servedGeneration, entries: survived.entries },
  );
  const pinning = new Pinning({
    publisher,
    history,
    around,
    store: pinStore(data, stateTrouble),
    clock,
    log,
    expired: () => loop.now(),
  });
  const lastGood = new LastGood({
    media: [mainMedium(survived?.state, send), ...mediaOf(data, 'last-good.json')],
    paths: data.paths,
    trouble: stateTrouble,
    clock,
    log,
  });
  const reconciler = new Reconciler({
    lastGood,
    stateTrouble,
    ...(survived !== undefined && { survived }),
    source,
    parser: openParser(caps),
    keys,
    find: findMiddleware,
    publisher,
    history,
    pinning,
    problemLog: createProblemLog(log),
    log,
    clock,
    send,
    strict: data.strict,
    servedGeneration: data.servedGeneration,
  });
  const loop = startLoop({
    reconciler,
    source,
    keys,
    clock,
    log,
    quietMs: 50,
    maxQuietMs: 500,
    pollMs: data.pollMs ?? 10_000,
  });

  const explainer = new Explainer();
  async function answer(id: number, name: string, args: unknown): Promise<void> {
    try {
      const { view } = reconciler;
      const value = name === 'explain' ? await explainer.explain(view, args) : answerQuery(name, view);
      send({ type: 'Answer', id, value });
    } catch (error) {
      send({ type: 'Answer', id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  async function obey({ id, name, args }: Extract<MainToConfig, { type: 'Command' }>): Promise<void> {
    try {
      const { generation, forMs } = args as { readonly generation: number; readonly forMs?: number };
      const value =
        name === 'rollback' ? await reconciler.rollback(generation, forMs) : await reconciler.resume();
      send({ type: 'Answer', id, value });
    } catch (error) {
      send({ type: 'Answer', id, error: error instanceof Error ? error.message : String(error) });
    }
  }

  const close = async (): Promise<void> => {
    pinning.close();
    await loop.close();
    reconciler.close();
    await lastGood.close();
    await historyFile?.close();
    log.close();
  };
  return {
    close,
    receive(message) {
      switch (message.type) {
        case 'ChunkTaken':
        case 'Published':
          publisher.receive(message);
          return;
        case 'Reconcile':
          loop.now();
          return;
        case 'Query':
          void answer(message.id, message.name, message.args);
          return;
        case 'Command':
          void obey(message);
      }
    },
  };
}

/** Where a pin is found at the start: after a crash of this thread with main, which knows better than the disk. */
function pinStore(data: ConfigThreadData, trouble: StateTrouble): PinStore {
  const [medium] = mediaOf(data, 'pin.json');
  const file = medium && new PinFile({ medium, trouble });
  return {
    load: () => (data.servedGeneration > 0 ? data.pinned : file?.load()),
    save: (set) => file?.save(set) ?? Promise.resolve(),
  };
}

/** A file of the state directory, if there is one. */
function mediaOf({ stateDir }: ConfigThreadData, name: string): readonly StateMedium[] {
  return stateDir === undefined ? [] : [fileMedium(stateDir, name)];
}
