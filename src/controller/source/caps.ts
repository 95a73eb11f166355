/** How much the controller reads at most, and how long it waits. */
export interface SourceCaps {
  /** A larger file is a problem and is not read. */
  readonly maxFileBytes: number;
  /** Further files of a `--config` path are a problem and are not read. */
  readonly maxFiles: number;
  /** A file changed less than this ago is not read yet. */
  readonly restMs: number;
  /** How long one file that does not rest holds back the others. */
  readonly maxWaitMs: number;
}

export const defaultCaps: SourceCaps = {
  maxFileBytes: 64 * 1024 * 1024,
  maxFiles: 100_000,
  restMs: 100,
  maxWaitMs: 500,
};
