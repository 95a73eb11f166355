import type { Endpoint } from './endpoint.ts';
import type { Balancer, Choice } from './balancer.ts';

/** Up to this many endpoints are all compared; among more, two random ones are (Mitzenmacher 2001). */
const compareAllUpTo = 8;

/**
 * The endpoint with the fewest exchanges in flight for its weight, over all workers. Ties are broken at random, so that
 * workers that see the same counts do not all choose the same endpoint.
 */
export function createLeastRequest(choices: readonly Choice[], random: () => number): Balancer {
  const load = (choice: Choice): number => (choice.endpoint.inFlight + 1) / choice.weight;

  function leastOfAll(usable: (endpoint: Endpoint) => boolean): Endpoint | undefined {
    let best: Choice | undefined;
    let bestLoad = Infinity;
    let ties = 0;
    for (const choice of choices) {
      if (!usable(choice.endpoint)) continue;
      const own = load(choice);
      if (own < bestLoad) {
        best = choice;
        bestLoad = own;
        ties = 1;
      } else if (own === bestLoad && random() * ++ties < 1) {
        best = choice;
      }
    }
    return best?.endpoint;
  }

  function draw(usable: (endpoint: Endpoint) => boolean): Choice | undefined {
    for (let tries = 0; tries < 8; tries++) {
      const choice = choices[Math.floor(random() * choices.length)];
      if (choice !== undefined && usable(choice.endpoint)) return choice;
    }
    return undefined;
  }

  return {
    pick(usable) {
      if (choices.length <= compareAllUpTo) return leastOfAll(usable);
      const first = draw(usable);
      const second = draw(usable);
      if (first === undefined || second === undefined) return leastOfAll(usable);
      return load(first) <= load(second) ? first.endpoint : second.endpoint;
    },
  };
}
