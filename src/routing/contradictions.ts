import type { Rule } from './rule.ts';
import type { ValueCondition } from './value-condition.ts';

/** Two conditions on one header or query parameter that never hold together. */
export interface Contradiction {
  readonly condition: 'header' | 'query';
  readonly name: string;
}

/** What makes a rule one that can never match. Sound, not complete: exact values are compared with all other conditions. */
export function findContradiction(rule: Rule): Contradiction | undefined {
  return contradictionIn('header', rule.headers) ?? contradictionIn('query', rule.query);
}

function contradictionIn(
  condition: Contradiction['condition'],
  conditions: readonly ValueCondition[],
): Contradiction | undefined {
  for (const { name, key } of conditions) {
    const [, type, value] = JSON.parse(key) as readonly [string, string, string?];
    if (type !== 'Exact' || value === undefined) continue;
    const isMet = conditions.every((other) => other.name !== name || other.test(value));
    if (!isMet) return { condition, name };
  }
  return undefined;
}
