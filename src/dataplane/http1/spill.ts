import { Buffer } from 'node:buffer';

/** For all connections of a listener and worker together (G9). */
const BUDGET_BYTES = 32 * 1024 * 1024;
/** For one of them: about as much as the kernels of both ends hold of an upload that stands still. */
const SPILL_BYTES = 8 * 1024 * 1024;
/** Pieces up to this size are kept together, so that many tiny ones cost no more than their bytes. */
const JOIN_BYTES = 16_384;

/** What spills may still take. */
export class SpillBudget {
  left = BUDGET_BYTES;
}

/**
 * Bytes of an upload that nobody can take for the time being. TCP tells that a client has gone only behind all that it
 * has sent, so whoever wants to know must read on; this is where to, in order and within bounds.
 */
export class Spill {
  private readonly budget: SpillBudget;
  private readonly pieces: Buffer[] = [];
  private held = 0;

  constructor(budget: SpillBudget) {
    this.budget = budget;
  }

  get size(): number {
    return this.held;
  }

  /** More may be read. */
  get hasRoom(): boolean {
    return this.held < SPILL_BYTES && this.budget.left > 0;
  }

  /** Takes a piece, even beyond the room: it has been read. */
  push(piece: Buffer): void {
    this.held += piece.length;
    this.budget.left -= piece.length;
    const last = this.pieces.length - 1;
    const before = this.pieces[last];
    if (before !== undefined && before.length + piece.length <= JOIN_BYTES) {
      this.pieces[last] = Buffer.concat([before, piece]);
    } else {
      this.pieces.push(piece);
    }
  }

  /** The first piece, which is the caller's from here on; undefined: there is none. */
  shift(): Buffer | undefined {
    const piece = this.pieces.shift();
    if (piece === undefined) return undefined;
    this.held -= piece.length;
    this.budget.left += piece.length;
    return piece;
  }

  clear(): void {
    this.budget.left += this.held;
    this.held = 0;
    this.pieces.length = 0;
  }
}
