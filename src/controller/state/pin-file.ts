import type { PinnedSet } from '../../snapshot/messages.ts';
import type { PinStore } from '../history/pinning.ts';
import { reasonOf } from '../source/reason-of.ts';
import { decodeChecked, encodeChecked, isEntry, isFields } from './checked-text.ts';
import type { StateMedium } from './state-medium.ts';
import type { StateTrouble } from './state-trouble.ts';
import { removeFile } from './write-file.ts';

export interface PinFileOptions {
  readonly medium: StateMedium;
  readonly trouble: StateTrouble;
}

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
    const { medium, trouble } = this.#options;
    try {
      const text = medium.read();
      if (text === undefined) return undefined;
      const pinned = decodeChecked(format, text);
      if (!isPinnedSet(pinned)) throw new Error('is damaged: it does not hold what it should');
      return pinned;
    } catch (error) {
      trouble.report(medium.place, `${reasonOf(error)}; it is ignored: nothing is pinned`);
      return undefined;
    }
  }

  save(pinned: PinnedSet | undefined): Promise<void> {
    const { medium, trouble } = this.#options;
    this.#writing = this.#writing.then(async () => {
      try {
        if (pinned === undefined) await removeFile(medium.place);
        else await medium.write(encodeChecked(format, [JSON.stringify(pinned)]));
        trouble.clear(medium.place);
      } catch (error) {
        trouble.report(medium.place, `what is pinned cannot be written: ${reasonOf(error)}`);
      }
    });
    return this.#writing;
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
