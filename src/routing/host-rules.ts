import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { prefixSegments } from './path-pattern.ts';
import { noPriority } from './precedence.ts';
import { RegexIndex } from './regex-index.ts';
import { RuleList } from './rule-list.ts';
import type { Rule } from './rule.ts';
import { SegmentTrie } from './segment-trie.ts';
import { better } from './walk.ts';
import type { Found, Walk } from './walk.ts';

/** All rules of one hostname, by the kind of their path; the kinds are asked in the order of precedence. */
export class HostRules<T> {
  private readonly owner: Edit;
  /** No rule here has a higher priority (an upper bound). */
  top: number;
  private exact: PersistentMap<RuleList<T>> | undefined;
  /** Longer paths need not be looked up (an upper bound). */
  private longestExact: number;
  private templates: SegmentTrie<T> | undefined;
  private prefixes: SegmentTrie<T> | undefined;
  private regexes: RegexIndex<T> | undefined;
  private any: RuleList<T> | undefined;

  private constructor(owner: Edit, from: HostRules<T> | undefined) {
    this.owner = owner;
    this.top = from?.top ?? noPriority;
    this.exact = from?.exact;
    this.longestExact = from?.longestExact ?? 0;
    this.templates = from?.templates;
    this.prefixes = from?.prefixes;
    this.regexes = from?.regexes;
    this.any = from?.any;
  }

  static with<T>(host: HostRules<T> | undefined, edit: Edit, rule: Rule<T>): HostRules<T> {
    const node = host?.owner === edit ? host : new HostRules<T>(edit, host);
    if (rule.priority > node.top) node.top = rule.priority;
    const { path } = rule;
    switch (path.kind) {
      case 'Exact':
        node.exact ??= PersistentMap.create(edit);
        node.exact = node.exact.set(edit, path.text, RuleList.with(node.exact.get(path.text), edit, rule));
        node.longestExact = Math.max(node.longestExact, path.text.length);
        break;
      case 'Template':
        node.templates = SegmentTrie.with(node.templates, edit, path.segments, rule);
        break;
      case 'Prefix':
        node.prefixes = SegmentTrie.with(node.prefixes, edit, prefixSegments(path), rule);
        break;
      case 'Regex':
        node.regexes = RegexIndex.with(node.regexes, edit, path.skeleton, rule);
        break;
      case 'Any':
        node.any = RuleList.with(node.any, edit, rule);
    }
    return node;
  }

  /** Undefined: nothing is left. */
  without(edit: Edit, rule: Rule<T>): HostRules<T> | undefined {
    const node = this.owner === edit ? this : new HostRules<T>(edit, this);
    const { path } = rule;
    switch (path.kind) {
      case 'Exact': {
        const list = node.exact?.get(path.text)?.without(edit, rule);
        node.exact =
          list === undefined ? node.exact?.delete(edit, path.text) : node.exact?.set(edit, path.text, list);
        if (node.exact?.size === 0) node.exact = undefined;
        break;
      }
      case 'Template':
        node.templates = node.templates?.without(edit, path.segments, rule);
        break;
      case 'Prefix':
        node.prefixes = node.prefixes?.without(edit, prefixSegments(path), rule);
        break;
      case 'Regex':
        node.regexes = node.regexes?.without(edit, path.skeleton, rule);
        break;
      case 'Any':
        node.any = node.any?.without(edit, rule);
    }
    const isEmpty = (node.exact ?? node.templates ?? node.prefixes ?? node.regexes ?? node.any) === undefined;
    return isEmpty ? undefined : node;
  }

  /** The best rule of a priority above `floor`. After a find only higher priorities are of interest, in later kinds too. */
  find(walk: Walk, floor: number): Found<T> {
    const { text } = walk;
    let best: Found<T>;
    if (this.exact !== undefined && text.length <= this.longestExact) {
      best = this.exact.get(text)?.find(walk, floor);
      if (best && (floor = best.priority) >= this.top) return best;
    }
    // `*` (OPTIONS *) is no path: it has no segments.
    const hasSegments = text.charCodeAt(0) === 0x2f;
    if (this.templates !== undefined && hasSegments) {
      best = better(this.templates.findWhole(walk, floor), best);
      if (best && (floor = best.priority) >= this.top) return best;
    }
    if (this.prefixes !== undefined && hasSegments) {
      best = better(this.prefixes.findPrefix(walk, floor), best);
      if (best && (floor = best.priority) >= this.top) return best;
    }
    if (this.regexes !== undefined && hasSegments) {
      best = better(this.regexes.find(walk, floor), best);
      if (best && (floor = best.priority) >= this.top) return best;
    }
    return this.any === undefined ? best : better(this.any.find(walk, floor), best);
  }
}
