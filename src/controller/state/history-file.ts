import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { HistoryLine } from '../history/history.ts';
import { reasonOf } from '../source/reason-of.ts';
import type { Clock } from '../clock.ts';
import { isEntry, isFields } from './checked-text.ts';
import type { StateMedium } from './state-medium.ts';
import type { StateTrouble } from './state-trouble.ts';

export interface HistoryFileOptions {
  readonly medium: StateMedium;
  readonly trouble: StateTrouble;
  readonly clock: Clock;
  /** All that is to be kept now. */
  readonly lines: () => readonly HistoryLine[];
  /** More than this is not kept at all. */
  readonly maxCharacters?: number;
}

const format = '{"format":"mgateway-history","version":1}';
const retryAfterMs = 5000;
/** Lines are added until there are this many; then the file is written anew with those that still count. */
const maxLines = 120;
/** Or until it is twice as large as when it was written whole. */
const growth = 2;
const minGrowthCharacters = 1024 * 1024;
/** Twice what History keeps to go back with. */
const defaultMaxCharacters = 64 * 1024 * 1024;

/**
 * The generations on the disk, one line each with its own checksum: what a reload adds is what it changed, not all that is
 * served. A line that was cut off or changed ends what is read. Holds no secret: entries refer to them. Never fatal.
 */
export class HistoryFile {
  readonly #options: HistoryFileOptions;
  #waiting: string[] = [];
  #count = 0;
  #characters = 0;
  #wholeCharacters = 0;
  /** What is on the disk is not what is kept: it is written anew. */
  #isStale = true;
  #writing: Promise<void> = Promise.resolve();
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: HistoryFileOptions) {
    this.#options = options;
  }

  /** Oldest first. */
  load(): readonly HistoryLine[] {
    const { medium, trouble } = this.#options;
    try {
      const text = medium.read();
      if (text === undefined) return [];
      const [head, ...rest] = text.split('\n');
      if (head !== format) throw new Error('is no history of this version');
      const lines: HistoryLine[] = [];
      for (const line of rest.filter((each) => each !== '')) {
        const value = decodeLine(line);
        if (value === undefined) {
          trouble.report(
            medium.place,
            `is damaged after ${lines.length} of its generations; those are kept, and it is written anew`,
          );
          return lines;
        }
        lines.push(value);
      }
      this.#isStale = !text.endsWith('\n');
      this.#count = lines.length;
      this.#characters = text.length;
      return lines;
    } catch (error) {
      trouble.report(medium.place, `${reasonOf(error)}; it is ignored and written anew`);
      return [];
    }
  }

  /** Adds a line, soon; whoever calls does not wait. */
  add(line: HistoryLine): void {
    this.#waiting.push(encodeLine(line));
    this.#writeSoon();
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#writing;
  }

  #writeSoon(): void {
    this.#writing = this.#writing.then(() => this.#write());
  }

  async #write(): Promise<void> {
    const { medium, trouble, lines, clock, maxCharacters = defaultMaxCharacters } = this.#options;
    // Lines that came while another was written go together.
    const added = this.#waiting.splice(0);
    if (added.length === 0 && !this.#isStale) return;
    const text = added.join('');
    const room = Math.min(maxCharacters, Math.max(growth * this.#wholeCharacters, minGrowthCharacters));
    const isFull = this.#count + added.length > maxLines || this.#characters + text.length > room;
    try {
      if (this.#isStale || isFull) {
        const all = lines().map(encodeLine);
        const whole = [`${format}\n`, ...all].join('');
        if (whole.length > maxCharacters) throw new Error(`would be larger than ${maxCharacters} characters`);
        this.#isStale = true;
        await medium.write(whole);
        this.#count = all.length;
        this.#characters = this.#wholeCharacters = whole.length;
      } else {
        this.#isStale = true;
        await append(medium.place, text);
        this.#count += added.length;
        this.#characters += text.length;
      }
      this.#isStale = false;
      trouble.clear(medium.place);
    } catch (error) {
      trouble.report(medium.place, `generations cannot be written: ${reasonOf(error)}`);
      this.#cancel?.();
      if (!this.#closed) this.#cancel = clock.after(retryAfterMs, () => this.#writeSoon());
    }
  }
}

async function append(path: string, text: string): Promise<void> {
  // Not created: a file that somebody removed is written whole the next time.
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    // Unlike `write`, which is content with as much as there is room for.
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function encodeLine(line: HistoryLine): string {
  const body = JSON.stringify(line);
  return `${hashOf(body)} ${body}\n`;
}

/** Undefined: it is not what was written. */
function decodeLine(line: string): HistoryLine | undefined {
  const space = line.indexOf(' ');
  const body = line.slice(space + 1);
  if (space < 0 || line.slice(0, space) !== hashOf(body)) return undefined;
  const value: unknown = JSON.parse(body);
  return isLine(value) ? value : undefined;
}

function isLine(value: unknown): value is HistoryLine {
  if (!isFields(value) || !isFields(value['record'])) return false;
  const { record, set, removed } = value;
  return (
    Number.isSafeInteger(record['generation']) &&
    typeof record['time'] === 'number' &&
    typeof record['sourceHash'] === 'string' &&
    typeof record['result'] === 'string' &&
    Array.isArray(record['changes']) &&
    (set === undefined || (Array.isArray(set) && set.every(isEntry))) &&
    (removed === undefined || (Array.isArray(removed) && removed.every((key) => typeof key === 'string')))
  );
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
