import { HostRules } from './host-rules.ts';
import { PersistentMap } from './persistent-map.ts';
import type { Edit } from './persistent-map.ts';
import { noPriority } from './precedence.ts';
import type { Rule } from './rule.ts';
import { better } from './walk.ts';
import type { Found, Walk } from './walk.ts';

/** Rules by hostname. */
export class HostIndex<T> {
  private readonly owner: Edit;
  private exact: PersistentMap<HostRules<T>> | undefined;
  /** By what follows the `*`: `.example.org`. */
  private wildcards: PersistentMap<HostRules<T>> | undefined;
  /** No wildcard has more labels (an upper bound). */
  private wildcardLabels: number;
  private any: HostRules<T> | undefined;
  /** No rule has a higher priority (an upper bound). */
  private top: number;

  private constructor(owner: Edit, from: HostIndex<T> | undefined) {
    this.owner = owner;
    this.exact = from?.exact;
    this.wildcards = from?.wildcards;
    this.wildcardLabels = from?.wildcardLabels ?? 0;
    this.any = from?.any;
    this.top = from?.top ?? noPriority;
  }

  /** `hostname` as `parseHostname` gives it; '': any. */
  static with<T>(index: HostIndex<T> | undefined, edit: Edit, hostname: string, rule: Rule<T>): HostIndex<T> {
    const node = index?.owner === edit ? index : new HostIndex<T>(edit, index);
    if (rule.priority > node.top) node.top = rule.priority;
    if (hostname === '') node.any = HostRules.with(node.any, edit, rule);
    else if (hostname.startsWith('*.')) {
      const suffix = hostname.slice(1);
      node.wildcards ??= PersistentMap.create(edit);
      node.wildcards = node.wildcards.set(
        edit,
        suffix,
        HostRules.with(node.wildcards.get(suffix), edit, rule),
      );
      node.wildcardLabels = Math.max(node.wildcardLabels, suffix.split('.').length - 1);
    } else {
      node.exact ??= PersistentMap.create(edit);
      node.exact = node.exact.set(edit, hostname, HostRules.with(node.exact.get(hostname), edit, rule));
    }
    return node;
  }

  /** Undefined: nothing is left. */
  without(edit: Edit, hostname: string, rule: Rule<T>): HostIndex<T> | undefined {
    const node = this.owner === edit ? this : new HostIndex<T>(edit, this);
    if (hostname === '') node.any = node.any?.without(edit, rule);
    else if (hostname.startsWith('*.'))
      node.wildcards = without(node.wildcards, edit, hostname.slice(1), rule);
    else node.exact = without(node.exact, edit, hostname, rule);
    return (node.exact ?? node.wildcards ?? node.any) === undefined ? undefined : node;
  }

  /** The best rule: of the exact host, then of wildcards with the longest first, then of no host; higher priorities first. */
  find(walk: Walk): Found<T> {
    const { host } = walk.request;
    let found: Found<T> = this.exact?.get(host)?.find(walk, noPriority);
    if (found) {
      walk.hostname = host;
      if (found.priority >= this.top) return found;
    }
    if (this.wildcards !== undefined) {
      found = better(this.findWildcard(walk, found ? found.priority : noPriority, host.length, 1), found);
    }
    if (this.any === undefined) return found;
    const floor = found ? found.priority : noPriority;
    if (this.any.top <= floor) return found;
    const last = this.any.find(walk, floor);
    if (last) walk.hostname = '';
    return better(last, found);
  }

  /** `end`: the suffix looked up next begins at the last dot before it. Longer suffixes are asked first. */
  private findWildcard(walk: Walk, floor: number, end: number, labels: number): Found<T> {
    const { host } = walk.request;
    const dot = end === 0 ? -1 : host.lastIndexOf('.', end - 1);
    if (dot <= 0) return undefined;
    let found: Found<T>;
    if (labels < this.wildcardLabels) {
      found = this.findWildcard(walk, floor, dot, labels + 1);
      if (found) floor = found.priority;
    }
    const rules = this.wildcards?.get(host.slice(dot));
    if (rules === undefined || rules.top <= floor) return found;
    const own = rules.find(walk, floor);
    if (own) walk.hostname = `*${host.slice(dot)}`;
    return better(own, found);
  }
}

function without<T>(
  hosts: PersistentMap<HostRules<T>> | undefined,
  edit: Edit,
  host: string,
  rule: Rule<T>,
): PersistentMap<HostRules<T>> | undefined {
  const left = hosts?.get(host)?.without(edit, rule);
  const rest = left === undefined ? hosts?.delete(edit, host) : hosts?.set(edit, host, left);
  return rest?.size === 0 ? undefined : rest;
}
