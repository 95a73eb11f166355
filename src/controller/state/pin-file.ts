import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PinnedSet } from '../../snapshot/messages.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { PinStore } from '../history/pinning.ts';
import { readBytes } from '../source/read-bytes.ts';
import { reasonOf } from '../source/reason-of.ts';
import { decodeChecked, encodeChecked, isFields } from './checked-text.ts';
import { writeFileWhole } from './write-file.ts';

export interface PinFileOptions {
  readonly directory: string;
  readonly log: Logger;
}

const fileName = 'pin.json';
const maxBytes = 512 * 1024 * 1024;
const format = { format: 'mgateway-pin', version: 1 };

/**
 * What is pinned, on the disk, so that it holds over a restart. Entries refer to secrets and hold none. Never fatal: what
 * cannot be read or written is said and left.
 */
export class PinFile implements PinStore {
  readonly #options: PinFileOptions;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: PinFileOptions) {
    this.#options = options;
  }

  load(): PinnedSet | undefined {
    const path = join(this.#options.directory, fileName);
    const found = readBytes(path, maxBytes);
    if (found.state === 'unreadable' && found.reason === 'does not exist') return undefined;
    try {
      if (found.state !== 'read')
        throw new Error(found.state === 'moved' ? 'is being written' : found.reason);
      const pinned = decodeChecked(format, found.bytes.toString('utf8'));
      if (!isPinnedSet(pinned)) throw new Error('is damaged: it does not hold what it should');
      return pinned;
    } catch (error) {
      this.#report(path, `${reasonOf(error)}; it is ignored: nothing is pinned`);
      return undefined;
    }
  }

  save(pinned: PinnedSet | undefined): Promise<void> {
    const { directory } = this.#options;
    this.#writing = this.#writing.then(async () => {
      try {
        if (pinned === undefined) await rm(join(directory, fileName), { force: true });
        else await writeFileWhole(directory, fileName, encodeChecked(format, pinned));
      } catch (error) {
        this.#report(directory, `what is pinned cannot be written: ${reasonOf(error)}`);
      }
    });
    return this.#writing;
  }

  #report(at: string, reason: string): void {
    this.#options.log.warn('state directory', { at, reason });
  }
}

function isPinnedSet(value: unknown): value is PinnedSet {
  return (
    isFields(value) &&
    typeof value['of'] === 'number' &&
    typeof value['since'] === 'number' &&
    (value['until'] === undefined || typeof value['until'] === 'number') &&
    typeof value['sourceHash'] === 'string' &&
    typeof value['accepted'] === 'string' &&
    Array.isArray(value['entries']) &&
    value['entries'].every(isEntry)
  );
}

function isEntry(value: unknown): boolean {
  return isFields(value) && ['key', 'hash', 'json'].every((field) => typeof value[field] === 'string');
}
