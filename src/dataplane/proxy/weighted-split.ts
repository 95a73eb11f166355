import type { Upstream } from '../upstream/upstream.ts';

export interface Share {
  /** Undefined: the upstream does not exist; its share of the requests is answered 503. */
  readonly upstream: Upstream | undefined;
  readonly weight: number;
}

/** Smooth weighted round robin over the upstreams of a route; all weights 0: nothing is picked. */
export class WeightedSplit {
  readonly #shares: readonly Share[];
  readonly #credit: Float64Array;
  readonly #only: Share | undefined;

  /** `previous`: the split of the route's last definition; its position is kept if the weights are the same (G6). */
  constructor(shares: readonly Share[], previous?: WeightedSplit) {
    this.#shares = shares.filter((share) => share.weight > 0);
    this.#only = this.#shares.length === 1 ? this.#shares[0] : undefined;
    this.#credit =
      previous?.sameWeights(this.#shares) === true ? previous.#credit : new Float64Array(this.#shares.length);
  }

  pick(): Upstream | undefined {
    if (this.#only !== undefined) return this.#only.upstream;
    const shares = this.#shares;
    const credit = this.#credit;
    let total = 0;
    let best = -1;
    for (let i = 0; i < shares.length; i++) {
      const weight = (shares[i] as Share).weight;
      total += weight;
      const own = (credit[i] as number) + weight;
      credit[i] = own;
      if (best < 0 || own > (credit[best] as number)) best = i;
    }
    if (best < 0) return undefined;
    credit[best] = (credit[best] as number) - total;
    return (shares[best] as Share).upstream;
  }

  private sameWeights(shares: readonly Share[]): boolean {
    return (
      shares.length === this.#shares.length &&
      shares.every((share, i) => {
        const own = this.#shares[i] as Share;
        return own.weight === share.weight && own.upstream?.key === share.upstream?.key;
      })
    );
  }
}
