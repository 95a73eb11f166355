import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { RuleList } from './rule-list.ts';
import type { Rule } from './rule.ts';
import { better } from './walk.ts';
import type { Found, Walk } from './walk.ts';

/**
 * Regex rules by their skeletons (`regexSkeleton`): a radix tree over literal texts, joined by stretches without a slash. Only rules
 * whose skeleton the path has are tried; those of which nothing is known stand at the root and are tried for every
 * path.
 */
export class RegexIndex<T> {
  private readonly owner: Edit;
  private readonly label: string;
  private children: PersistentMap<RegexIndex<T>> | undefined;
  /** What follows at the next slash, whatever stands before it. */
  private wild: RegexIndex<T> | undefined;
  private rules: RuleList<T> | undefined;

  private constructor(owner: Edit, label: string, from?: RegexIndex<T>) {
    this.owner = owner;
    this.label = label;
    this.children = from?.children;
    this.wild = from?.wild;
    this.rules = from?.rules;
  }

  static with<T>(
    index: RegexIndex<T> | undefined,
    edit: Edit,
    skeleton: readonly string[],
    rule: Rule<T>,
  ): RegexIndex<T> {
    return (index ?? new RegexIndex<T>(edit, '')).insert(edit, skeleton, 0, 0, rule);
  }

  /** `at`: where this node's label ends in the text `skeleton[piece]`. */
  private insert(
    edit: Edit,
    skeleton: readonly string[],
    piece: number,
    at: number,
    rule: Rule<T>,
  ): RegexIndex<T> {
    const node = this.editable(edit);
    const literal = skeleton[piece] ?? '';
    if (at === literal.length) {
      if (piece + 1 >= skeleton.length) node.rules = RuleList.with(node.rules, edit, rule);
      else node.wild = (node.wild ?? new RegexIndex<T>(edit, '')).insert(edit, skeleton, piece + 1, 0, rule);
      return node;
    }
    const key = literal.charAt(at);
    const child = node.children?.get(key) ?? new RegexIndex<T>(edit, literal.slice(at));
    const shared = commonLength(child.label, literal, at);
    const fitting = shared < child.label.length ? child.split(edit, shared) : child;
    const next = fitting.insert(edit, skeleton, piece, at + shared, rule);
    node.children = (node.children ?? PersistentMap.create(edit)).set(edit, key, next);
    return node;
  }

  /** Undefined: nothing is left. */
  without(
    edit: Edit,
    skeleton: readonly string[],
    rule: Rule<T>,
    piece = 0,
    at = 0,
  ): RegexIndex<T> | undefined {
    const node = this.editable(edit);
    const literal = skeleton[piece] ?? '';
    if (at < literal.length) {
      const key = literal.charAt(at);
      const child = node.children?.get(key);
      const left = child?.without(edit, skeleton, rule, piece, at + child.label.length);
      node.children =
        left === undefined ? node.children?.delete(edit, key) : node.children?.set(edit, key, left);
      if (node.children?.size === 0) node.children = undefined;
    } else if (piece + 1 < skeleton.length) {
      node.wild = node.wild?.without(edit, skeleton, rule, piece + 1);
    } else node.rules = node.rules?.without(edit, rule);
    return node.rules === undefined && node.children === undefined && node.wild === undefined
      ? undefined
      : node;
  }

  find(walk: Walk, floor: number): Found<T> {
    return this.findFrom(walk, floor, 0, undefined);
  }

  /** `at`: where this node's label ends in the text; `earlier`: what was found elsewhere in the tree. */
  private findFrom(walk: Walk, floor: number, at: number, earlier: Found<T>): Found<T> {
    const { text } = walk;
    let best = earlier;
    if (this.rules !== undefined) best = better(this.rules.find(walk, floor, best ?? undefined), best);
    const child = this.children?.get(text.charAt(at));
    if (child !== undefined && text.startsWith(child.label, at)) {
      best = child.findFrom(walk, floor, at + child.label.length, best);
    }
    if (this.wild !== undefined) {
      const slash = text.indexOf('/', at);
      if (slash >= 0) best = this.wild.findFrom(walk, floor, slash, best);
    }
    return best;
  }

  private editable(edit: Edit): RegexIndex<T> {
    return this.owner === edit ? this : new RegexIndex(edit, this.label, this);
  }

  /** A node for the first `length` characters of the label, with the rest below it. */
  private split(edit: Edit, length: number): RegexIndex<T> {
    const rest = new RegexIndex(edit, this.label.slice(length), this);
    const node = new RegexIndex<T>(edit, this.label.slice(0, length));
    node.children = PersistentMap.create<RegexIndex<T>>(edit).set(edit, rest.label.charAt(0), rest);
    return node;
  }
}

function commonLength(label: string, literal: string, at: number): number {
  let i = 0;
  while (i < label.length && label.charCodeAt(i) === literal.charCodeAt(at + i)) i++;
  return i;
}
