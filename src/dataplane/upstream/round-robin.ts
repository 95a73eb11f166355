import type { Balancer, Choice } from './balancer.ts';
import { SmoothRotation } from './smooth-rotation.ts';

/** Endpoints in turn, each as often as it weighs. */
export function createRoundRobin(choices: readonly Choice[]): Balancer {
  const rotation = new SmoothRotation(choices.map(({ endpoint, weight }) => ({ value: endpoint, weight })));
  return { pick: (usable) => rotation.next(usable) };
}
