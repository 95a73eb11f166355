import { entryChanges } from '../../diff/entry-changes.ts';
import type { Entry } from '../../snapshot/model.ts';
import { difference } from '../publish/delta.ts';
import type { ChangeSummary, GenerationRecord } from '../status/view.ts';

/** A reconcile or a rollback that did something. */
export type HistoryEvent = Omit<GenerationRecord, 'changes' | 'restorable' | 'added' | 'changed' | 'removed'>;

export interface HistoryLimits {
  /** Generations, and as many refused reconciles. */
  readonly kept: number;
  /** Of the entries kept to go back with; the oldest generations go first. */
  readonly characters: number;
}

const historyLimits: HistoryLimits = { kept: 20, characters: 32 * 1024 * 1024 };

type Entries = ReadonlyMap<string, Entry>;

interface Generation {
  readonly record: Omit<GenerationRecord, 'restorable'>;
  /** What leads back to the generation before: entries to put back, or undefined for those to take away. */
  undo: ReadonlyMap<string, Entry | undefined> | undefined;
  readonly undoCharacters: number;
}

const maxChanges = 20;
const maxFields = 20;

/**
 * The last generations, each with what it changed. Kept as the way back from each to the one before: what an entry says is
 * text that is shared with what is served, so that a generation costs what it changed and not what it holds.
 */
export class History {
  readonly #limits: HistoryLimits;
  readonly #generations: Generation[] = [];
  readonly #refused: GenerationRecord[] = [];
  #entries: Entries = new Map();

  constructor(limits = historyLimits) {
    this.#limits = limits;
  }

  /** Oldest first. */
  get records(): readonly GenerationRecord[] {
    const served = this.#generations.map(({ record }, i) => ({ ...record, restorable: this.#reaches(i) }));
    return [...served, ...this.#refused].sort((a, b) => a.time - b.time);
  }

  /** A new generation is served. */
  served(event: HistoryEvent, entries: Entries): void {
    const before = this.#entries;
    const isFirst = this.#generations.length === 0;
    const { set, removed, added, changed } = difference(before, entries);
    const undo = new Map<string, Entry | undefined>();
    for (const { key } of set) undo.set(key, before.get(key));
    for (const key of removed) undo.set(key, before.get(key));
    let undoCharacters = 0;
    for (const entry of undo.values()) undoCharacters += entry?.json.length ?? 0;
    // Who comes first came from nothing: a list of all that there is tells nobody anything.
    const changes = isFirst ? [] : summarise(before, undo, entries);
    this.#generations.push({
      record: { ...event, added, changed, removed: removed.length, changes },
      undo: isFirst ? undefined : undo,
      undoCharacters: isFirst ? 0 : undoCharacters,
    });
    this.#entries = entries;
    this.#trim();
  }

  /** Nothing of it is served; `generation` is the one that went on. */
  refused(event: HistoryEvent): void {
    this.#refused.push({ ...event, added: 0, changed: 0, removed: 0, changes: [], restorable: false });
    if (this.#refused.length > this.#limits.kept) this.#refused.shift();
  }

  recordOf(generation: number): GenerationRecord | undefined {
    return this.records.find((record) => record.generation === generation && record.result !== 'refused');
  }

  /** What a generation served; undefined: not known any more. */
  entriesOf(generation: number): Entries | undefined {
    const index = this.#generations.findIndex(({ record }) => record.generation === generation);
    if (index < 0 || !this.#reaches(index)) return undefined;
    const entries = new Map(this.#entries);
    for (let i = this.#generations.length - 1; i > index; i -= 1) {
      for (const [key, entry] of this.#generations[i]?.undo ?? []) {
        if (entry === undefined) entries.delete(key);
        else entries.set(key, entry);
      }
    }
    return entries;
  }

  /** Whether the way back to a generation is still there. */
  #reaches(index: number): boolean {
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

/** The first changes; only what is shown is compared field by field. */
function summarise(
  before: Entries,
  undo: ReadonlyMap<string, unknown>,
  entries: Entries,
): readonly ChangeSummary[] {
  const shown = [...undo.keys()].sort().slice(0, maxChanges);
  const part = (of: Entries): Entries =>
    new Map(shown.flatMap((key) => [[key, of.get(key)] as const]).filter(isThere));
  return entryChanges(part(before), part(entries)).map(({ key, change, fields }) => ({
    key,
    change,
    fields: fields.slice(0, maxFields).map(({ path }) => path),
  }));
}

function isThere(pair: readonly [string, Entry | undefined]): pair is readonly [string, Entry] {
  return pair[1] !== undefined;
}
