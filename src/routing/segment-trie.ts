import type { Variable } from './path-pattern.ts';
import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { noPriority } from './precedence.ts';
import { RuleList } from './rule-list.ts';
import type { Rule } from './rule.ts';
import type { Found, Walk } from './walk.ts';

/**
 * A tree over path segments, used for templates and for prefixes. A look-up visits no more segments than the longest
 * path in the tree has, however many a request sends.
 */
export class SegmentTrie<T> {
  private readonly owner: Edit;
  /** No rule below has a higher priority. An upper bound: it may stay where rules went. */
  private top: number;
  private literals: PersistentMap<SegmentTrie<T>> | undefined;
  private variable: SegmentTrie<T> | undefined;
  private rules: RuleList<T> | undefined;

  private constructor(owner: Edit, from: SegmentTrie<T> | undefined) {
    this.owner = owner;
    this.top = from?.top ?? noPriority;
    this.literals = from?.literals;
    this.variable = from?.variable;
    this.rules = from?.rules;
  }

  static with<T>(
    trie: SegmentTrie<T> | undefined,
    edit: Edit,
    segments: readonly (string | Variable)[],
    rule: Rule<T>,
    depth = 0,
  ): SegmentTrie<T> {
    const node = trie?.owner === edit ? trie : new SegmentTrie<T>(edit, trie);
    if (rule.priority > node.top) node.top = rule.priority;
    const segment = segments[depth];
    if (segment === undefined) node.rules = RuleList.with(node.rules, edit, rule);
    else if (typeof segment === 'string') {
      const child = SegmentTrie.with(node.literals?.get(segment), edit, segments, rule, depth + 1);
      node.literals = (node.literals ?? PersistentMap.create(edit)).set(edit, segment, child);
    } else node.variable = SegmentTrie.with(node.variable, edit, segments, rule, depth + 1);
    return node;
  }

  /** Undefined: nothing is left. */
  without(
    edit: Edit,
    segments: readonly (string | Variable)[],
    rule: Rule<T>,
    depth = 0,
  ): SegmentTrie<T> | undefined {
    const node = this.owner === edit ? this : new SegmentTrie<T>(edit, this);
    const segment = segments[depth];
    if (segment === undefined) node.rules = node.rules?.without(edit, rule);
    else if (typeof segment === 'string') {
      const child = node.literals?.get(segment)?.without(edit, segments, rule, depth + 1);
      node.literals =
        child === undefined ? node.literals?.delete(edit, segment) : node.literals?.set(edit, segment, child);
      if (node.literals?.size === 0) node.literals = undefined;
    } else node.variable = node.variable?.without(edit, segments, rule, depth + 1);
    return node.rules === undefined && node.literals === undefined && node.variable === undefined
      ? undefined
      : node;
  }

  /**
   * The best rule above `floor` whose segments are all those of the path from `start` on (the index after a slash).
   * The literal branch comes first, which is the order of templates.
   */
  findWhole(walk: Walk, floor: number, start = 1): Found<T> {
    const { text } = walk;
    if (start > text.length) return this.rules?.find(walk, floor);
    const slash = text.indexOf('/', start);
    const end = slash < 0 ? text.length : slash;
    let best: Found<T>;
    if (this.literals !== undefined) {
      const child = this.literals.get(text.slice(start, end));
      if (child !== undefined && child.top > floor) {
        best = child.findWhole(walk, floor, end + 1);
        if (best) floor = best.priority;
      }
    }
    if (this.variable !== undefined && end > start && this.variable.top > floor) {
      const found = this.variable.findWhole(walk, floor, end + 1);
      if (found) return found;
      if (best === undefined) best = found;
    }
    return best;
  }

  /** The best rule above `floor` whose segments begin the path from `start` on, the longest first. */
  findPrefix(walk: Walk, floor: number, start = 1): Found<T> {
    const { text } = walk;
    let best: Found<T>;
    if (this.literals !== undefined && start <= text.length) {
      const slash = text.indexOf('/', start);
      const end = slash < 0 ? text.length : slash;
      const child = this.literals.get(text.slice(start, end));
      if (child !== undefined && child.top > floor) {
        best = child.findPrefix(walk, floor, end + 1);
        if (best) floor = best.priority;
      }
    }
    if (this.rules !== undefined) {
      const found = this.rules.find(walk, floor);
      if (found) return found;
      if (best === undefined) best = found;
    }
    return best;
  }
}
