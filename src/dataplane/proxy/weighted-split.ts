import { SmoothRotation } from '../upstream/smooth-rotation.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface Share {
  /** Undefined: the upstream does not exist; its share of the requests is answered 503. */
  readonly upstream: Upstream | undefined;
  readonly weight: number;
}

const any = (): boolean => true;

/** The upstreams of a route in turn, each as often as it weighs; all weights 0: nothing is picked. */
export class WeightedSplit {
  readonly #shares: readonly Share[];
  readonly #rotation: SmoothRotation<Upstream | undefined>;

  /** `previous`: the split of the route's last definition; its position is kept if the weights are the same (G6). */
  constructor(shares: readonly Share[], previous?: WeightedSplit) {
    this.#shares = shares.filter((share) => share.weight > 0);
    this.#rotation = new SmoothRotation(
      this.#shares.map(({ upstream, weight }) => ({ value: upstream, weight })),
      previous?.hasWeights(this.#shares) === true ? previous.#rotation : undefined,
    );
  }

  pick(): Upstream | undefined {
    return this.#rotation.next(any);
  }

  private hasWeights(shares: readonly Share[]): boolean {
    return (
      shares.length === this.#shares.length &&
      shares.every((share, i) => {
        const own = this.#shares[i] as Share;
        return own.weight === share.weight && own.upstream?.key === share.upstream?.key;
      })
    );
  }
}
