import type { Closing } from '../process/closing.ts';
import type { Options } from '../options.ts';
import type { Report } from '../report/report.ts';

/** What a scenario works with; it opens nothing that it does not hand to `closing`. */
export interface Bench {
  readonly options: Options;
  readonly closing: Closing;
  /** Progress, for whoever watches. */
  readonly say: (text: string) => void;
  readonly nextPort: () => Promise<number>;
  /** A new empty folder. */
  readonly newDir: (name: string) => string;
}

export interface Scenario {
  readonly name: string;
  readonly describe: string;
  /** @throws Error if what is measured does not work. */
  readonly run: (bench: Bench) => Promise<Report>;
}
