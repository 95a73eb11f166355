import type { Balancer, Choice } from './balancer.ts';

/** Weighted random choice. */
export function createRandom(choices: readonly Choice[], random: () => number): Balancer {
  return {
    pick(usable) {
      let total = 0;
      for (const choice of choices) if (usable(choice.endpoint)) total += choice.weight;
      if (total === 0) return undefined;
      let mark = random() * total;
      let last: Choice | undefined;
      for (const choice of choices) {
        if (!usable(choice.endpoint)) continue;
        last = choice;
        mark -= choice.weight;
        if (mark < 0) break;
      }
      return last?.endpoint;
    },
  };
}
