/** Requests of one connection that may be answered in one turn of the event loop. */
const MAX_REQUESTS = 16;

/**
 * Lets other connections in: a read brings thousands of pipelined requests, and those that are answered at once (404, 401,
 * 429) would hold the thread to the last of them.
 */
export class FairTurn {
  /** Requests taken in this turn. */
  requests = 0;
  /** The rest comes with the next turn: nothing may be taken or read before. */
  waiting = false;
  private readonly next: () => void;

  /** `next` is called in the next turn where this one is over before all is taken. */
  constructor(next: () => void) {
    this.next = next;
  }

  get isOver(): boolean {
    return this.requests >= MAX_REQUESTS;
  }

  end(): void {
    const { isOver } = this;
    this.requests = 0;
    if (!isOver) return;
    this.waiting = true;
    setImmediate(resume, this);
  }

  /** Internal: the next turn. */
  begin(): void {
    this.waiting = false;
    this.next();
  }
}

function resume(turn: FairTurn): void {
  turn.begin();
}
