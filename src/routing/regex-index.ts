import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { RuleList } from './rule-list.ts';
import type { Rule } from './rule.ts';
import { better } from './walk.ts';
import type { Found, Walk } from './walk.ts';

/**
 * Regex rules by the literal text that their matches begin with: a radix tree. Only rules whose text begins the path
 * are tried; those without one stand at the root and are tried for every path.
 */
export class RegexIndex<T> {
  private readonly owner: Edit;
  private label: string;
  private children: PersistentMap<RegexIndex<T>> | undefined;
  private rules: RuleList<T> | undefined;

  private constructor(
    owner: Edit,
    label: string,
    children: PersistentMap<RegexIndex<T>> | undefined,
    rules: RuleList<T> | undefined,
  ) {
    this.owner = owner;
    this.label = label;
    this.children = children;
    this.rules = rules;
  }

  static with<T>(
    index: RegexIndex<T> | undefined,
    edit: Edit,
    literal: string,
    rule: Rule<T>,
  ): RegexIndex<T> {
    const root = index ?? new RegexIndex<T>(edit, '', undefined, undefined);
    return root.insert(edit, literal, 0, rule);
  }

  /** `at`: where this node's label ends in `literal`. */
  private insert(edit: Edit, literal: string, at: number, rule: Rule<T>): RegexIndex<T> {
    const node = this.editable(edit);
    if (at === literal.length) {
      node.rules = RuleList.with(node.rules, edit, rule);
      return node;
    }
    const key = literal.charAt(at);
    const child = node.children?.get(key);
    let next: RegexIndex<T>;
    if (child === undefined)
      next = new RegexIndex(edit, literal.slice(at), undefined, RuleList.with<T>(undefined, edit, rule));
    else {
      const shared = commonLength(child.label, literal, at);
      next = (shared < child.label.length ? child.split(edit, shared) : child).insert(
        edit,
        literal,
        at + shared,
        rule,
      );
    }
    node.children = (node.children ?? PersistentMap.create(edit)).set(edit, key, next);
    return node;
  }

  /** Undefined: nothing is left. */
  without(edit: Edit, literal: string, rule: Rule<T>, at = 0): RegexIndex<T> | undefined {
    const node = this.editable(edit);
    if (at === literal.length) node.rules = node.rules?.without(edit, rule);
    else {
      const key = literal.charAt(at);
      const child = node.children?.get(key);
      const left = child?.without(edit, literal, rule, at + child.label.length);
      node.children =
        left === undefined ? node.children?.delete(edit, key) : node.children?.set(edit, key, left);
      if (node.children?.size === 0) node.children = undefined;
    }
    return node.rules === undefined && node.children === undefined ? undefined : node;
  }

  find(walk: Walk, floor: number): Found<T> {
    return this.findFrom(walk, floor, 0, undefined);
  }

  /** `at`: where this node's label ends in the text; `earlier`: what was found above. */
  private findFrom(walk: Walk, floor: number, at: number, earlier: Found<T>): Found<T> {
    const { text } = walk;
    let best = earlier;
    if (this.rules !== undefined) best = better(this.rules.find(walk, floor, earlier ?? undefined), earlier);
    const child = this.children?.get(text.charAt(at));
    if (child === undefined || !text.startsWith(child.label, at)) return best;
    return child.findFrom(walk, floor, at + child.label.length, best);
  }

  private editable(edit: Edit): RegexIndex<T> {
    return this.owner === edit ? this : new RegexIndex(edit, this.label, this.children, this.rules);
  }

  /** A node for the first `length` characters of the label, with the rest below it. */
  private split(edit: Edit, length: number): RegexIndex<T> {
    const rest = new RegexIndex(edit, this.label.slice(length), this.children, this.rules);
    const children = PersistentMap.create<RegexIndex<T>>(edit).set(edit, rest.label.charAt(0), rest);
    return new RegexIndex(edit, this.label.slice(0, length), children, undefined);
  }
}

function commonLength(label: string, literal: string, at: number): number {
  let i = 0;
  while (i < label.length && label.charCodeAt(i) === literal.charCodeAt(at + i)) i++;
  return i;
}
