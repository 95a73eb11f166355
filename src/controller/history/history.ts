import type { Entry } from '../../snapshot/model.ts';
import { changedKeys } from '../../snapshot/changed-keys.ts';
import type { GenerationRecord } from '../status/view.ts';
import { summarise } from './change-summary.ts';

/** A reconcile or a rollback that did something. */
export type HistoryEvent = Omit<GenerationRecord, 'changes' | 'restorable' | 'added' | 'changed' | 'removed'>;

/** A record as it is kept; whether one can go back to it is found out when it is asked for. */
export type KeptRecord = Omit<GenerationRecord, 'restorable'>;

/** One record and what it takes to know what was served. */
export interface HistoryLine {
  readonly record: KeptRecord;
  /** Absent: not known any more, or nothing was (`refused`). */
  readonly set?: readonly Entry[];
  /** `set` and `removed` lead from the line before; absent: `set` is all. */
  readonly removed?: readonly string[];
}

export interface HistoryLimits {
  /** Generations, and as many refused reconciles. */
  readonly kept: number;
  /** Of the entries kept to go back with; the oldest generations go first. */
  readonly characters: number;
}

export interface HistoryOptions {
  readonly limits?: HistoryLimits;
  /** From before a restart, oldest first. */
  readonly lines?: readonly HistoryLine[];
  /** Brings entries from before a restart to what they would be now: versions of secrets mean something in one process only. */
  readonly refresh?: (entries: Entries) => Entries;
  /** Something was noted. */
  readonly noted?: (line: HistoryLine) => void;
}

const historyLimits: HistoryLimits = { kept: 20, characters: 32 * 1024 * 1024 };

type Entries = ReadonlyMap<string, Entry>;

interface Generation {
  readonly record: KeptRecord;
  /** What leads back to the generation before: entries to put back, or undefined for those to take away. */
  undo: ReadonlyMap<string, Entry | undefined> | undefined;
  readonly undoCharacters: number;
  /** False: from before a restart, and what it served was not known then. */
  readonly isKnown: boolean;
}

/**
 * The last generations, each with what it changed. Kept as the way back from each to the one before: what an entry says is
 * text that is shared with what is served, so that a generation costs what it changed and not what it holds.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #generations: Generation[] = [];
  readonly #refused: KeptRecord[] = [];
  #entries: Entries = new Map();
  /** The entries are those of another process. */
  #isOld = false;

  constructor(options: HistoryOptions = {}) {
    this.#options = options;
    for (const line of options.lines ?? []) this.#replay(line);
    this.#isOld = this.#generations.length > 0;
  }

  /** Oldest first. */
  get records(): readonly GenerationRecord[] {
    const served = this.#generations.map(({ record }, i) => ({ ...record, restorable: this.#reaches(i) }));
    const refused = this.#refused.map((record) => ({ ...record, restorable: false }));
    // Not by time: a clock can be set back. The sort is stable: what was refused stands behind what was served then.
    return [...served, ...refused].sort((a, b) => a.generation - b.generation);
  }

  /** Number of the newest generation; 0: there was none. */
  get last(): number {
    return this.#generations.at(-1)?.record.generation ?? 0;
  }

  /** A new generation is served. */
  served(event: HistoryEvent, entries: Entries): void {
    const { refresh, noted } = this.#options;
    if (this.#isOld && refresh !== undefined) this.#entries = refresh(this.#entries);
    this.#isOld = false;
    const before = this.#entries;
    const { added, changed, removed } = changedKeys(before, entries);
    // Who comes first came from nothing: a list of all that there is tells nobody anything.
    const isFirst = this.#generations.length === 0;
    const present = [...added, ...changed];
    const keys = [...present, ...removed];
    const changes = isFirst ? [] : summarise(before, entries, keys);
    const counts = { added: added.length, changed: changed.length, removed: removed.length };
    const record = { ...event, ...counts, changes };
    this.#push({ record, keys, entries });
    noted?.({ record, set: present.flatMap((key) => entries.get(key) ?? []), removed });
  }

  /** Nothing of it is served; `generation` is the one that went on. */
  refused(event: HistoryEvent): void {
    const record = { ...event, added: 0, changed: 0, removed: 0, changes: [] };
    this.#pushRefused(record);
    this.#options.noted?.({ record });
  }

  recordOf(generation: number): GenerationRecord | undefined {
    return this.records.find((record) => record.generation === generation && record.result !== 'refused');
  }

  /** What a generation served; undefined: not known any more. */
  entriesOf(generation: number): Entries | undefined {
    const index = this.#generations.findIndex(({ record }) => record.generation === generation);
    if (index < 0 || !this.#reaches(index)) return undefined;
    const entries = new Map(this.#entries);
    for (let i = this.#generations.length - 1; i > index; i -= 1) goBack(entries, this.#generations[i]);
    return entries;
  }

  /** All that there is, so that another History can go on from it. */
  get lines(): readonly HistoryLine[] {
    const lines: HistoryLine[] = [];
    const entries = new Map(this.#entries);
    for (let i = this.#generations.length - 1; i >= 0; i -= 1) {
      const generation = this.#generations[i] as Generation;
      const { record, undo } = generation;
      if (!this.#reaches(i)) lines.push({ record });
      else if (undo === undefined) lines.push({ record, set: [...entries.values()] });
      else {
        const keys = [...undo.keys()];
        const set = keys.flatMap((key) => entries.get(key) ?? []);
        lines.push({ record, set, removed: keys.filter((key) => !entries.has(key)) });
        goBack(entries, generation);
      }
    }
    return [...lines.reverse(), ...this.#refused.map((record) => ({ record }))];
  }

  #replay(line: HistoryLine): void {
    const { record, set = [], removed } = line;
    if (record.result === 'refused') {
      this.#pushRefused(record);
      return;
    }
    const entries = new Map(removed === undefined ? [] : this.#entries);
    const keys = [...set.map(({ key }) => key), ...(removed ?? [])];
    for (const entry of set) entries.set(entry.key, entry);
    for (const key of removed ?? []) entries.delete(key);
    this.#push({ record, keys, entries, isKnown: line.set !== undefined });
    // The way to it is not known: nor is the way back from it.
    const newest = this.#generations.at(-1);
    if (removed === undefined && newest !== undefined) newest.undo = undefined;
  }

  /** `keys`: those whose entries differ from the generation before. */
  #push({
    record,
    keys,
    entries,
    isKnown = true,
  }: {
    readonly record: KeptRecord;
    readonly keys: readonly string[];
    readonly entries: Entries;
    readonly isKnown?: boolean;
  }): void {
    const before = this.#entries;
    const undo = new Map(keys.map((key) => [key, before.get(key)] as const));
    let undoCharacters = 0;
    for (const entry of undo.values()) undoCharacters += entry?.json.length ?? 0;
    this.#generations.push({ record, undo, undoCharacters, isKnown });
    this.#entries = entries;
    this.#trim();
  }

  #pushRefused(record: KeptRecord): void {
    this.#refused.push(record);
    if (this.#refused.length > this.#limits.kept) this.#refused.shift();
  }

  get #limits(): HistoryLimits {
    return this.#options.limits ?? historyLimits;
  }

  /** Whether the way back to a generation is still there. */
  #reaches(index: number): boolean {
    if (this.#generations[index]?.isKnown !== true) return false;
    return this.#generations.slice(index + 1).every(({ undo }) => undo !== undefined);
  }

  #trim(): void {
    const { kept, characters } = this.#limits;
    if (this.#generations.length > kept) this.#generations.shift();
    const oldest = this.#generations[0];
    // Nothing is before it any more.
    if (oldest !== undefined) oldest.undo = undefined;
    let room = characters;
    for (let i = this.#generations.length - 1; i >= 0; i -= 1) {
      const generation = this.#generations[i];
      if (generation?.undo === undefined) continue;
      room -= generation.undoCharacters;
      if (room < 0) generation.undo = undefined;
    }
  }
}

function goBack(entries: Map<string, Entry>, generation: Generation | undefined): void {
  for (const [key, entry] of generation?.undo ?? []) {
    if (entry === undefined) entries.delete(key);
    else entries.set(key, entry);
  }
}
