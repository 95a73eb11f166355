import { comparePaths } from './precedence.ts';
import type { Pair } from './precedence.ts';
import type { Rule } from './rule.ts';

/** A (hostname, match) pair that never, or never alone, gets a request. */
export interface Conflict {
  /** `Same`: only the names decide which of the two is asked. `Shadowed`: whatever it matches, `by` takes first. */
  readonly kind: 'Same' | 'Shadowed';
  /** '': any host. */
  readonly hostname: string;
  readonly route: string;
  readonly matchIndex: number;
  readonly by: { readonly route: string; readonly matchIndex: number };
}

/**
 * Finds pairs that cannot be told apart and matches that cannot be reached. `pairs` in the order of
 * `comparePairs`, as `RoutingTable.pairs` gives them. Sound, not complete: what is reported is certain; regexes are only
 * compared by their text. Near-linear: rules are compared within the same path and with unconditional rules above them.
 */
export function findConflicts(pairs: readonly Pair[]): readonly Conflict[] {
  const conflicts: Conflict[] = [];
  const hosts = new Map<string, EarlierRules>();
  for (const { hostname, rule } of pairs) {
    let earlier = hosts.get(hostname);
    if (earlier === undefined) hosts.set(hostname, (earlier = new EarlierRules()));
    const by = earlier.coverOf(rule) ?? widerCover(hosts, hostname, rule);
    if (by !== undefined) {
      const kind = isSame(by, rule) ? 'Same' : 'Shadowed';
      const { route, matchIndex } = rule;
      conflicts.push({
        kind,
        hostname,
        route,
        matchIndex,
        by: { route: by.route, matchIndex: by.matchIndex },
      });
    }
    earlier.add(rule);
  }
  return conflicts;
}

/** A rule of a hostname that stands for this one too: such rules are asked before only where their priority is higher. */
function widerCover(
  hosts: ReadonlyMap<string, EarlierRules>,
  hostname: string,
  rule: Rule,
): Rule | undefined {
  if (hostname === '') return undefined;
  for (let dot = hostname.indexOf('.', 1); dot >= 0; dot = hostname.indexOf('.', dot + 1)) {
    const wildcard = `*${hostname.slice(dot)}`;
    const by = wildcard === hostname ? undefined : hosts.get(wildcard)?.coverOf(rule);
    if (by !== undefined) return by;
  }
  return hosts.get('')?.coverOf(rule);
}

/** At most this many rules of one path are compared with each other: many differ by a header's value only. */
const MAX_COMPARED = 64;

/** Rules of one hostname that are asked before the one that is looked at. */
class EarlierRules {
  private readonly byPath = new Map<string, Rule[]>();
  private readonly bySignature = new Map<string, Rule>();
  /** Prefix rules by their text, where nothing but the method is asked for. */
  private readonly openPrefixes = new Map<string, Rule[]>();
  private readonly openAny: Rule[] = [];

  add(rule: Rule): void {
    const path = pathKey(rule);
    append(this.byPath, path, rule);
    const signature = `${path} ${conditionsKey(rule)}`;
    if (!this.bySignature.has(signature)) this.bySignature.set(signature, rule);
    if (!isOpen(rule)) return;
    if (rule.path.kind === 'Prefix') append(this.openPrefixes, rule.path.text, rule);
    else if (rule.path.kind === 'Any' && this.openAny.length < MAX_COMPARED) this.openAny.push(rule);
  }

  /** An earlier rule that holds whenever this one does. */
  coverOf(rule: Rule): Rule | undefined {
    const path = pathKey(rule);
    const same = this.bySignature.get(`${path} ${conditionsKey(rule)}`);
    if (same !== undefined && covers(same, rule)) return same;
    return (
      this.byPath.get(path)?.find((other) => covers(other, rule)) ??
      this.openAny.find((other) => covers(other, rule)) ??
      this.openPrefixOver(rule)
    );
  }

  /** Prefixes go after exact paths and templates, but a higher priority puts them before. */
  private openPrefixOver(rule: Rule): Rule | undefined {
    if (this.openPrefixes.size === 0) return undefined;
    let text = literalStart(rule);
    if (text === undefined) return undefined;
    for (;;) {
      const found = this.openPrefixes.get(text)?.find((other) => covers(other, rule));
      if (found !== undefined || text === '') return found;
      text = text.slice(0, text.lastIndexOf('/'));
    }
  }
}

function append(map: Map<string, Rule[]>, key: string, rule: Rule): void {
  const rules = map.get(key);
  if (rules === undefined) map.set(key, [rule]);
  else if (rules.length < MAX_COMPARED) rules.push(rule);
}

/** Equal for paths that match the same requests: names of variables do not matter. */
function pathKey({ path }: Rule): string {
  return `${path.kind} ${path.text}`;
}

/** The longest text without variable that every path of the rule lies under, as a prefix's text; undefined: unknown. */
function literalStart({ path }: Rule): string | undefined {
  switch (path.kind) {
    case 'Exact':
      return path.text === '*' ? undefined : path.text.replace(/\/$/, '');
    case 'Prefix':
      return path.text;
    case 'Template': {
      const variable = path.segments.findIndex((segment) => typeof segment !== 'string');
      const literals = variable < 0 ? path.segments : path.segments.slice(0, variable);
      return literals
        .map((segment) => `/${segment as string}`)
        .join('')
        .replace(/\/$/, '');
    }
    case 'Regex': {
      // `/ab` may go on as `/abc`: only whole segments are certain.
      const literal = path.skeleton[0] ?? '';
      return literal.startsWith('/') ? literal.slice(0, literal.lastIndexOf('/')) : undefined;
    }
    case 'Any':
      return undefined;
  }
}

function isOpen(rule: Rule): boolean {
  return rule.headers.length === 0 && rule.query.length === 0;
}

/** Whether methods, listeners, headers and query of `wide` hold whenever those of `narrow` do. */
function covers(wide: Rule, narrow: Rule): boolean {
  return (
    isSubset(narrow.methods, wide.methods) &&
    isSubset(narrow.listeners, wide.listeners) &&
    includesAll(narrow.headers, wide.headers) &&
    includesAll(narrow.query, wide.query)
  );
}

/** Undefined: everything. */
function isSubset(part: readonly string[] | undefined, whole: readonly string[] | undefined): boolean {
  return whole === undefined || (part?.every((item) => whole.includes(item)) ?? false);
}

function includesAll(conditions: Rule['headers'], wanted: Rule['headers']): boolean {
  return wanted.every(({ key }) => conditions.some((condition) => condition.key === key));
}

function isSame(a: Rule, b: Rule): boolean {
  return (
    a.priority === b.priority && comparePaths(a.path, b.path) === 0 && conditionsKey(a) === conditionsKey(b)
  );
}

/** Equal for rules that ask for the same methods, listeners, headers and query, in whatever order. */
function conditionsKey(rule: Rule): string {
  const keys = (conditions: Rule['headers']): string[] =>
    [...new Set(conditions.map(({ key }) => key))].sort();
  return JSON.stringify([
    rule.methods && [...rule.methods].sort(),
    rule.listeners && [...rule.listeners].sort(),
    keys(rule.headers),
    keys(rule.query),
  ]);
}
