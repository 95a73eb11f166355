import { SmoothRotation } from '../upstream/smooth-rotation.ts';
import type { Turn } from '../upstream/smooth-rotation.ts';
import type { Upstream } from '../upstream/upstream.ts';

export interface Share {
  /** Undefined: the upstream does not exist; its share of the requests is answered 503. */
  readonly upstream: Upstream | undefined;
  readonly weight: number;
}

const any = (): boolean => true;

/** The upstreams of a route in turn, each as often as it weighs; all weights 0: nothing is picked. */
export class WeightedSplit {
  readonly #rotation: SmoothRotation<Upstream | undefined>;

  /** `previous`: the split of the route's last definition; its position is kept if the weights are the same (G6). */
  constructor(shares: readonly Share[], previous?: WeightedSplit) {
    const turns = shares
      .filter(({ weight }) => weight > 0)
      .map(({ upstream, weight }) => ({ value: upstream, weight }));
    this.#rotation = new SmoothRotation(
      turns,
      previous?.hasWeights(turns) === true ? previous.#rotation : undefined,
    );
  }

  pick(): Upstream | undefined {
    return this.#rotation.next(any);
  }

  private hasWeights(turns: readonly Turn<Upstream | undefined>[]): boolean {
    const own = this.#rotation.turns;
    return (
      turns.length === own.length &&
      turns.every(({ value, weight }, i) => own[i]?.weight === weight && own[i]?.value?.key === value?.key)
    );
  }
}
