import type { PrepareFailure } from '../../snapshot/messages.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { FailedEntry } from '../translate/translation.ts';

/** Causes that pass by themselves: worth another try with the same definition. */
const passing: ReadonlySet<string> = new Set([
  'AddressInUse',
  'PermissionDenied',
  'ModuleFailed',
  'KeyUnavailable',
]);

/** Definitions that workers refused; a later definition of the same key is tried afresh. */
export class Failures {
  readonly #failed = new Map<string, FailedEntry>();

  get byKey(): ReadonlyMap<string, FailedEntry> {
    return this.#failed;
  }

  get hasPassing(): boolean {
    return [...this.#failed.values()].some(({ code }) => passing.has(code));
  }

  /** False: a failure names nothing that was published, so that leaving something out does not help. */
  note(failures: readonly PrepareFailure[], entries: ReadonlyMap<string, Entry>): boolean {
    let noted = false;
    for (const { key, code, message } of failures) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      this.#failed.set(key, { hash: entry.hash, code, message });
      noted = true;
    }
    return noted;
  }

  /** Tries again what may have passed. */
  forgetPassing(): void {
    for (const [key, { code }] of this.#failed) if (passing.has(code)) this.#failed.delete(key);
  }

  /** Drops those of definitions that nobody asks for any more. */
  retain(isWanted: (key: string) => boolean): void {
    for (const key of this.#failed.keys()) if (!isWanted(key)) this.#failed.delete(key);
  }
}
