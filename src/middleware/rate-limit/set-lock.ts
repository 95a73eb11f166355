/**
 * Mutual exclusion over threads for a few dozen nanoseconds, in one int32 cell. A holder that is interrupted by the
 * scheduler comes back within milliseconds; one that died (a worker was terminated in between) never does: whoever
 * has seen the same acquisition for all its turns takes the lock over. Turns are counted rather than time, so that a
 * machine that stood still is not taken for a dead holder.
 */
const spins = 200;
/** Each turn yields the processor for a moment: a few tenths of a second in all, hundreds of times longer than a time slice. */
const turns = 1500;
const turnMs = 0.1;

/** Returns when `ticket` (not 0, unlike that of any other acquisition) holds the lock. */
export function lock(cells: Int32Array, at: number, ticket: number): void {
  if (Atomics.compareExchange(cells, at, 0, ticket) === 0) return;
  waitFor(cells, at, ticket);
}

/** Does nothing if the lock was taken over meanwhile. */
export function unlock(cells: Int32Array, at: number, ticket: number): void {
  Atomics.compareExchange(cells, at, ticket, 0);
}

function waitFor(cells: Int32Array, at: number, ticket: number): void {
  for (let spin = 0; spin < spins; spin++) {
    if (Atomics.load(cells, at) === 0 && Atomics.compareExchange(cells, at, 0, ticket) === 0) return;
  }
  let holder = 0;
  for (let turn = 0; ; turn++) {
    const seen = Atomics.compareExchange(cells, at, 0, ticket);
    if (seen === 0) return;
    if (seen !== holder) {
      holder = seen;
      turn = 0;
    } else if (turn >= turns && Atomics.compareExchange(cells, at, seen, ticket) === seen) return;
    Atomics.wait(cells, at, seen, turnMs);
  }
}
