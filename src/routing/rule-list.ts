import type { Edit } from './persistent-map.ts';
import { compareRules } from './precedence.ts';
import type { Rule } from './rule.ts';
import type { Found, Walk } from './walk.ts';

/** Rules that share a place in the table, in the order in which they are asked. Never empty. */
export class RuleList<T> {
  private readonly owner: Edit;
  private readonly rules: Rule<T>[];

  private constructor(owner: Edit, rules: Rule<T>[]) {
    this.owner = owner;
    this.rules = rules;
  }

  static with<T>(list: RuleList<T> | undefined, edit: Edit, rule: Rule<T>): RuleList<T> {
    if (list === undefined) return new RuleList(edit, [rule]);
    const target = list.owner === edit ? list : new RuleList(edit, list.rules.slice());
    const { rules } = target;
    let low = 0;
    let high = rules.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRules(rules[middle] as Rule<T>, rule) <= 0) low = middle + 1;
      else high = middle;
    }
    rules.splice(low, 0, rule);
    return target;
  }

  /** Undefined: nothing is left. */
  without(edit: Edit, rule: Rule<T>): RuleList<T> | undefined {
    const rules = this.rules.filter((other) => other !== rule);
    return rules.length === 0 ? undefined : new RuleList(edit, rules);
  }

  [Symbol.iterator](): IterableIterator<Rule<T>> {
    return this.rules[Symbol.iterator]();
  }

  /** The first rule of a priority above `floor` that holds and comes before `best`. */
  find(walk: Walk, floor: number, best?: Rule<T>): Found<T> {
    const { rules } = this;
    let found: Found<T>;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i] as Rule<T>;
      if (rule.priority <= floor) break;
      if (best !== undefined && compareRules(rule, best) >= 0) break;
      const holds = walk.tries(rule);
      if (holds === true) return rule;
      if (holds === null) found = null;
    }
    return found;
  }
}
