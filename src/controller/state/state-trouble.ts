import type { Problem } from '../../snapshot/messages.ts';
import type { Logger } from '../../telemetry/log.ts';

export interface StateTroubleOptions {
  readonly log: Logger;
  /** There is a problem more or less. */
  readonly changed: () => void;
}

/** What is wrong with the files of the state directory: said once, and kept until it is over. */
export class StateTrouble {
  readonly #options: StateTroubleOptions;
  /** By file. */
  readonly #problems = new Map<string, Problem>();

  constructor(options: StateTroubleOptions) {
    this.#options = options;
  }

  get problems(): readonly Problem[] {
    return [...this.#problems.values()];
  }

  report(at: string, message: string): void {
    if (this.#problems.get(at)?.message === message) return;
    const hint = 'until it is solved a restart may not find what was served, listed or pinned last';
    this.#problems.set(at, { at, path: '', message, hint });
    this.#options.log.warn('state directory', { at, reason: message });
    this.#options.changed();
  }

  /** A file was written. */
  clear(at: string): void {
    if (!this.#problems.delete(at)) return;
    this.#options.log.info('state directory is written again', { at });
    this.#options.changed();
  }
}
