import { startController } from '../controller/controller.ts';
import type {
  ConfigStatus,
  ConfigThreadData,
  ConfigToMain,
  LogRecord,
  Problem,
} from '../snapshot/messages.ts';
import type { KeySource } from '../middleware/contract.ts';
import type { Entry } from '../snapshot/model.ts';
import { createConfiguration } from './configuration.ts';
import type { Configuration } from './configuration.ts';

export interface CandidateStatus {
  /** Files and directories that it is read from. */
  readonly paths: readonly string[];
  /** How often it has changed; 0: nothing of it was good yet. */
  readonly generation: number;
  readonly sourceHash: string;
  /** Unix seconds; null: not read yet. */
  readonly readAt: number | null;
  readonly problems: readonly Problem[];
}

/** The second configuration: read, watched and judged as the first, but served to nobody. */
export interface Candidate {
  /**
   * Undefined while it has a problem: what it would change cannot be told then, since a refused document keeps what was
   * served before.
   */
  readonly current: Configuration | undefined;
  status(): Promise<CandidateStatus>;
  /** Looks at the files now. */
  reconcile(): void;
}

export interface CandidateOptions {
  readonly data: Pick<ConfigThreadData, 'paths' | 'logLevel' | 'modulesDir' | 'versionKey'>;
  readonly keys: KeySource;
  readonly log: (records: readonly LogRecord[]) => void;
  /** `current` is another one. */
  readonly changed: () => void;
}

/** Stands in for main and its workers, who take everything and refuse nothing. */
export function startCandidate({ data, keys, log, changed }: CandidateOptions): Candidate {
  const { paths } = data;
  let staged: Map<string, Entry> | undefined;
  let published: Configuration | undefined;
  let current: Configuration | undefined;
  let status: ConfigStatus | undefined;
  let asked = 0;
  const waiting = new Map<number, (value: unknown) => void>();

  const take = (message: ConfigToMain): void => {
    switch (message.type) {
      case 'Chunk': {
        const { generation, base, set, removed } = message.delta;
        staged ??= new Map(base === 0 ? [] : published?.simulator.entries);
        for (const entry of set) staged.set(entry.key, entry);
        for (const key of removed) staged.delete(key);
        controller.receive({ type: 'ChunkTaken', generation });
        return;
      }
      case 'Publish':
        published = createConfiguration(message.generation, staged ?? new Map(), {
          previous: published,
          keys,
        });
        staged = undefined;
        controller.receive({ type: 'Published', generation: message.generation, failures: [] });
        return;
      case 'Status': {
        const before = current;
        status = message.status;
        current = status.problems === 0 ? published : undefined;
        if (current !== before) changed();
        return;
      }
      case 'Log':
        log(message.records.map((record) => ({ ...record, fields: { ...record.fields, shadow: true } })));
        return;
      case 'Answer':
        waiting.get(message.id)?.(message.value);
        waiting.delete(message.id);
        return;
      // A gateway could not start with it: here it is a problem among others, until it is repaired.
      case 'Fatal':
      case 'Keep':
      case 'StateTrouble':
        return;
    }
  };
  const controller = startController({ ...data, strict: false, servedGeneration: 0 }, take);

  return {
    get current() {
      return current;
    },
    async status() {
      const id = ++asked;
      const answer = new Promise<unknown>((resolve) => waiting.set(id, resolve));
      controller.receive({ type: 'Query', id, name: 'status', args: {} });
      const { problemList } = (await answer) as { readonly problemList: readonly Problem[] };
      return {
        paths,
        generation: published?.generation ?? 0,
        sourceHash: status?.sourceHash ?? '',
        readAt: status?.time ?? null,
        problems: problemList,
      };
    },
    reconcile: () => controller.receive({ type: 'Reconcile' }),
  };
}
