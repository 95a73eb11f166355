import { startController } from '../../../src/controller/controller.ts';
import type { Controller } from '../../../src/controller/controller.ts';
import type {
  CommandResult,
  ConfigStatus,
  ConfigThreadData,
  ConfigToMain,
  LogRecord,
  PrepareFailure,
  Problem,
  Survived,
} from '../../../src/snapshot/messages.ts';
import { changedKeys } from '../../../src/snapshot/changed-keys.ts';
import type { Entry } from '../../../src/snapshot/model.ts';
import { PackedEntries } from '../../../src/snapshot/packed-entries.ts';
import type { Cleanup } from '../../support/cleanup.ts';

/** What main and its workers would hold; answers the controller as they do, and checks what it sends. */
export interface MainStandIn {
  readonly controller: Controller;
  readonly statuses: ConfigStatus[];
  readonly logs: LogRecord[];
  /** Whether something was wrong with the state directory, each time that changed. */
  readonly troubles: boolean[];
  /** What main would hand to the thread that is started after a crash. */
  survived(): Survived | undefined;
  readonly fatals: { readonly message: string; readonly problems: readonly Problem[] }[];
  /** Served entries. */
  entries(): ReadonlyMap<string, Entry>;
  generation(): number;
  /** Names of the routes that are served. */
  routes(): readonly string[];
  /** The JSON of one entry. */
  json(key: string): Record<string, unknown>;
  query(name: string): Promise<unknown>;
  command(name: 'rollback' | 'resume', args?: unknown): Promise<CommandResult>;
}

export interface StandInOptions {
  readonly paths: readonly string[];
  readonly data?: Partial<ConfigThreadData>;
  /** Refuses what workers would refuse. */
  readonly refuse?: (entries: ReadonlyMap<string, Entry>) => readonly PrepareFailure[];
}

export function startMainStandIn(cleanup: Cleanup, options: StandInOptions): MainStandIn {
  const { survived } = options.data ?? {};
  let served = PackedEntries.none.taking(survived?.parts ?? []);
  let generation = options.data?.servedGeneration ?? 0;
  let base = survived === undefined ? 0 : generation;
  let kept: Uint8Array | undefined;
  let staged: Map<string, Entry> | undefined;
  const answers = new Map<number, (value: unknown) => void>();
  let lastQuery = 0;
  const statuses: ConfigStatus[] = [];
  const logs: LogRecord[] = [];
  const troubles: boolean[] = [];
  const fatals: { message: string; problems: readonly Problem[] }[] = [];

  function take(message: ConfigToMain): void {
    switch (message.type) {
      case 'Chunk': {
        const { delta } = message;
        if (delta.generation <= generation) throw new Error('an older generation');
        if (delta.base !== base) throw new Error(`built on ${delta.base}, served ${base}`);
        if (delta.set.length + delta.removed.length > 100) throw new Error('a chunk too large');
        staged ??= new Map(base === 0 ? [] : served);
        for (const entry of delta.set) staged.set(entry.key, entry);
        for (const key of delta.removed) staged.delete(key);
        setImmediate(() => controller.receive({ type: 'ChunkTaken', generation: delta.generation }));
        return;
      }
      case 'Publish': {
        if (message.base !== base) throw new Error(`built on ${message.base}, served ${base}`);
        const candidate = (base === 0 ? PackedEntries.none : served).taking(message.parts);
        const { added, changed, removed } = changedKeys(staged ?? served, candidate);
        if (added.length + changed.length + removed.length > 0)
          throw new Error(`parts are not what chunks come to: ${[...added, ...changed, ...removed].join()}`);
        staged = undefined;
        const failures = options.refuse?.(candidate) ?? [];
        if (failures.length === 0) {
          served = candidate;
          generation = message.generation;
          base = generation;
        }
        const answer = { type: 'Published', generation: message.generation, failures } as const;
        setImmediate(() => controller.receive(answer));
        return;
      }
      case 'Status':
        statuses.push(message.status);
        return;
      case 'Log':
        logs.push(...message.records);
        return;
      case 'Answer':
        answers.get(message.id)?.(message.error === undefined ? message.value : new Error(message.error));
        return;
      case 'Fatal':
        fatals.push(message);
        return;
      case 'Keep':
        kept = message.state;
        return;
      case 'StateTrouble':
        troubles.push(message.failing);
    }
  }

  const controller = startController(
    {
      paths: options.paths,
      strict: false,
      logLevel: 'debug',
      servedGeneration: 0,
      pollMs: 600_000,
      ...options.data,
    },
    take,
  );
  cleanup.add(() => controller.close());
  return {
    controller,
    statuses,
    logs,
    troubles,
    fatals,
    survived: () =>
      kept && {
        parts: served.partsSince(PackedEntries.none),
        servedHash: statuses.at(-1)?.servedHash ?? '',
        state: kept,
      },
    entries: () => served,
    generation: () => generation,
    routes: () =>
      [...served.keys()]
        .filter((key) => key.startsWith('Route/'))
        .map((key) => key.slice('Route/default/'.length))
        .sort(),
    json: (key) => JSON.parse(served.get(key)?.json ?? '{}') as Record<string, unknown>,
    query: (name) =>
      new Promise((resolve, reject) => {
        const id = ++lastQuery;
        answers.set(id, (value) => (value instanceof Error ? reject(value) : resolve(value)));
        controller.receive({ type: 'Query', id, name, args: {} });
      }),
    command: (name, args = {}) =>
      new Promise((resolve, reject) => {
        const id = ++lastQuery;
        answers.set(id, (value) =>
          value instanceof Error ? reject(value) : resolve(value as CommandResult),
        );
        controller.receive({ type: 'Command', id, name, args });
      }),
  };
}

/** A Route that is told apart by its prefix. */
export function routeDocument(name: string, prefix = `/${name}`): string {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata: { name: ${name} }
spec:
  matches: [{ path: { prefix: ${prefix} } }]
  upstreams: [{ url: "http://127.0.0.1:3000" }]
`;
}

export function prefixOf(main: MainStandIn, route: string): unknown {
  const { matches } = main.json(`Route/default/${route}`) as {
    matches?: readonly { readonly path?: { readonly value?: string } }[];
  };
  return matches?.[0]?.path?.value;
}
