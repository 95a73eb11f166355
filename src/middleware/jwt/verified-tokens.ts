/**
 * Tokens that were verified, so that they need not be again (its safety: docs/decisions/0003-jwt-cache.md). The key is the
 * whole text of the Authorization field: nothing is abbreviated or hashed, so no two tokens can be taken for each other.
 *
 * Two maps instead of a list in order of use: a look-up is one `get`, what was used lately is in the young one, and when
 * that is half of the whole the old one goes.
 */
export interface VerifiedTokens<Verdict> {
  get(field: string): Verdict | undefined;
  /** `bytes`: what the verdict keeps in memory, roughly. */
  set(field: string, verdict: Verdict, bytes: number): void;
  delete(field: string): void;
  clear(): void;
  readonly size: number;
}

export interface VerifiedTokensLimits {
  readonly entries: number;
  readonly bytes: number;
}

interface Cell<Verdict> {
  readonly verdict: Verdict;
  readonly bytes: number;
}

export function createVerifiedTokens<Verdict>(limits: VerifiedTokensLimits): VerifiedTokens<Verdict> {
  let young = new Map<string, Cell<Verdict>>();
  let old = new Map<string, Cell<Verdict>>();
  let youngBytes = 0;

  const insert = (field: string, cell: Cell<Verdict>): void => {
    if (young.size >= limits.entries / 2 || youngBytes + cell.bytes > limits.bytes / 2) {
      old = young;
      young = new Map();
      youngBytes = 0;
    }
    young.set(field, cell);
    youngBytes += cell.bytes;
  };

  return {
    get(field) {
      const cell = young.get(field);
      if (cell !== undefined) return cell.verdict;
      const aged = old.get(field);
      if (aged === undefined) return undefined;
      old.delete(field);
      insert(copy(field), aged);
      return aged.verdict;
    },
    set(field, verdict, bytes) {
      const cell = { verdict, bytes: bytes + field.length };
      this.delete(field);
      if (cell.bytes > limits.bytes / 2) return;
      insert(copy(field), cell);
    },
    delete(field) {
      const cell = young.get(field);
      if (cell !== undefined) {
        young.delete(field);
        youngBytes -= cell.bytes;
      }
      old.delete(field);
    },
    clear() {
      young = new Map();
      old = new Map();
      youngBytes = 0;
    },
    get size() {
      return young.size + old.size;
    },
  };
}

/** A field is often a slice of a whole message head, which it would keep in memory. */
function copy(field: string): string {
  return Buffer.from(field, 'latin1').toString('latin1');
}
