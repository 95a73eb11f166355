import type { Edit } from './persistent-map.ts';
import { compareRules } from './precedence.ts';
import type { Rule } from './rule.ts';
import type { Found, Walk } from './walk.ts';

/** Nobody adds to it. */
const none: never[] = [];

/** Rules that share a place in the table, in the order in which they are asked. Never empty; most often it is one. */
export class RuleList<T> {
  private readonly owner: Edit;
  private first: Rule<T>;
  private rest: Rule<T>[];

  private constructor(owner: Edit, first: Rule<T>, rest: Rule<T>[]) {
    this.owner = owner;
    this.first = first;
    this.rest = rest;
  }

  static with<T>(list: RuleList<T> | undefined, edit: Edit, rule: Rule<T>): RuleList<T> {
    if (list === undefined) return new RuleList(edit, rule, none);
    const target = list.owner === edit ? list : new RuleList(edit, list.first, copyOf(list.rest));
    if (target.rest === none) target.rest = [];
    const { first, rest } = target;
    if (compareRules(first, rule) > 0) {
      target.first = rule;
      rest.unshift(first);
      return target;
    }
    let low = 0;
    let high = rest.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareRules(rest[middle] as Rule<T>, rule) <= 0) low = middle + 1;
      else high = middle;
    }
    rest.splice(low, 0, rule);
    return target;
  }

  /** Undefined: nothing is left. */
  without(edit: Edit, rule: Rule<T>): RuleList<T> | undefined {
    const rules = [this.first, ...this.rest].filter((other) => other !== rule);
    const [first] = rules;
    return first && new RuleList(edit, first, rules.length === 1 ? none : rules.slice(1));
  }

  /** The first rule of a priority above `floor` that holds and comes before `best`. */
  find(walk: Walk, floor: number, best?: Rule<T>): Found<T> {
    const { rest } = this;
    let found: Found<T>;
    for (let i = -1; i < rest.length; i++) {
      const rule = i < 0 ? this.first : (rest[i] as Rule<T>);
      if (rule.priority <= floor) break;
      if (best !== undefined && compareRules(rule, best) >= 0) break;
      const holds = walk.tries(rule);
      if (holds === true) return rule;
      if (holds === null) found = null;
    }
    return found;
  }
}

function copyOf<T>(rules: Rule<T>[]): Rule<T>[] {
  return rules.length === 0 ? none : rules.slice();
}
