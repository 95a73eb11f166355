/** What is taken in turn; the weight is positive. */
export interface Turn<T> {
  readonly value: T;
  readonly weight: number;
}

/** What takes all turns alone needs no credit. */
const none = new Float64Array(0);

/**
 * Smooth weighted round robin (nginx, commit 52327e0 of 2012): each pick adds every weight to its owner's credit, the
 * richest wins and pays the sum. Weights 5, 1, 1 give a a b a c a a and not a a a a a b c.
 */
export class SmoothRotation<T> {
  readonly turns: readonly Turn<T>[];
  private readonly credit: Float64Array;

  /** `previous`: a rotation of the same turns, after which this one goes on (G6). */
  constructor(turns: readonly Turn<T>[], previous?: SmoothRotation<T>) {
    this.turns = turns;
    this.credit = previous?.credit ?? (turns.length > 1 ? new Float64Array(turns.length) : none);
  }

  /** The next value that `usable` accepts; undefined when it accepts none. */
  next(usable: (value: T) => boolean): T | undefined {
    const { turns, credit } = this;
    if (turns.length === 1) {
      const { value } = turns[0] as Turn<T>;
      return usable(value) ? value : undefined;
    }
    let total = 0;
    let best = -1;
    for (let i = 0; i < turns.length; i++) {
      const { value, weight } = turns[i] as Turn<T>;
      if (!usable(value)) continue;
      total += weight;
      const own = (credit[i] as number) + weight;
      credit[i] = own;
      if (best < 0 || own > (credit[best] as number)) best = i;
    }
    if (best < 0) return undefined;
    credit[best] = (credit[best] as number) - total;
    return (turns[best] as Turn<T>).value;
  }
}
