import type { BalancerStrategy } from '../../snapshot/model.ts';
import type { Balancer, Choice } from './balancer.ts';
import { createLeastRequest } from './least-request.ts';
import { createRandom } from './random.ts';
import { createRoundRobin } from './round-robin.ts';

/** `random`: uniform in [0, 1). */
export function createBalancer(
  strategy: BalancerStrategy,
  choices: readonly Choice[],
  random: () => number,
): Balancer {
  const weighted = choices.filter((choice) => choice.weight > 0);
  switch (strategy) {
    case 'RoundRobin':
      return createRoundRobin(weighted);
    case 'LeastRequest':
      return createLeastRequest(weighted, random);
    case 'Random':
      return createRandom(weighted, random);
  }
}
