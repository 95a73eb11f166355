import type { Balancer, Choice } from './balancer.ts';

/**
 * Smooth weighted round robin (nginx, commit 52327e0 of 2012): each pick adds every weight to its owner's credit, the
 * richest wins and pays the sum. Weights 5, 1, 1 give a a b a c a a and not a a a a a b c.
 */
export function createRoundRobin(choices: readonly Choice[]): Balancer {
  const only = choices.length === 1 ? choices[0] : undefined;
  const credit = new Float64Array(choices.length);
  return {
    pick(usable) {
      if (only !== undefined) return usable(only.endpoint) ? only.endpoint : undefined;
      let total = 0;
      let best = -1;
      for (let i = 0; i < choices.length; i++) {
        const choice = choices[i] as Choice;
        if (!usable(choice.endpoint)) continue;
        total += choice.weight;
        const own = (credit[i] as number) + choice.weight;
        credit[i] = own;
        if (best < 0 || own > (credit[best] as number)) best = i;
      }
      if (best < 0) return undefined;
      credit[best] = (credit[best] as number) - total;
      return (choices[best] as Choice).endpoint;
    },
  };
}
