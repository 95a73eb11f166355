import type { PrepareFailure } from '../../snapshot/messages.ts';
import type { Release } from './releases.ts';
import type { Served } from './served.ts';

/** A prepared generation: complete, but nobody sees it until it is committed. */
export interface Candidate {
  readonly served: Served;
  /** Changes to what lives on; run at the commit, cannot fail. */
  readonly onCommit: readonly (() => void)[];
  /** Gives back what the candidate lacks. */
  readonly onRelease: readonly Release[];
  /** Gives back what was made for it: it will not be committed. */
  readonly undo: () => void;
}

/** Why there is no candidate. All that was made for it has been given back. */
export interface Refused {
  readonly failures: readonly PrepareFailure[];
}

/** What preparing has made so far: for the commit, the release of the old, and for undoing it. */
export class Ledger {
  /** Number of the generation that is prepared. */
  readonly generation: number;
  readonly onCommit: (() => void)[] = [];
  readonly onRelease: Release[] = [];
  readonly failures: PrepareFailure[] = [];
  private readonly undo: Pick<Release, 'run'>[] = [];

  constructor(generation: number) {
    this.generation = generation;
  }

  /** Something was made that must go again, by `run`, if the candidate is refused. */
  made(thing: Pick<Release, 'run'>): void {
    this.undo.push(thing);
  }

  fail(key: string, code: string, error: unknown): void {
    this.failures.push({ key, code, message: error instanceof Error ? error.message : String(error) });
  }

  undoAll(): void {
    for (const thing of this.undo.reverse()) thing.run();
  }
}
