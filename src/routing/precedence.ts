import type { PathPattern } from './path-pattern.ts';
import type { Rule } from './rule.ts';

/** Below every priority there is: a small integer, for which V8 needs no memory beside the object that it stands in. */
export const noPriority = -(2 ** 30);

/** One hostname of a route (lower-case; `*.example.org`; '': any host) with one of its matches. */
export interface Pair<T = unknown> {
  readonly hostname: string;
  readonly rule: Rule<T>;
}

/**
 * Which of two pairs is asked first: negative if `a` is. The one place where the precedence of docs/configuration.md is written down:
 * priority; hostname; path; method; more header conditions; more query conditions; `namespace/name`; match index.
 * A total order over the pairs of a table: 0 only for a pair and itself (or its double in the same route).
 */
export function comparePairs(a: Pair, b: Pair): number {
  return (
    b.rule.priority - a.rule.priority ||
    compareHostnames(a.hostname, b.hostname) ||
    compareConditions(a.rule, b.rule)
  );
}

/** The same order among rules of one hostname. */
export function compareRules(a: Rule, b: Rule): number {
  return b.priority - a.priority || compareConditions(a, b);
}

/** Exact, then wildcards with the longer first, then none. */
export function compareHostnames(a: string, b: string): number {
  return (
    hostnameTier(a) - hostnameTier(b) || (a.startsWith('*.') ? b.length - a.length : 0) || compareText(a, b)
  );
}

function hostnameTier(hostname: string): number {
  if (hostname === '') return 2;
  return hostname.startsWith('*.') ? 1 : 0;
}

function compareConditions(a: Rule, b: Rule): number {
  return (
    comparePaths(a.path, b.path) ||
    Number(a.methods === undefined) - Number(b.methods === undefined) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length ||
    compareText(a.route, b.route) ||
    a.matchIndex - b.matchIndex
  );
}

const PATH_KINDS = { Exact: 0, Template: 1, Prefix: 2, Regex: 3, Any: 4 } as const;

/** Exact; template, left to right with literal before variable; longer prefix; longer regex; no path. */
export function comparePaths(a: PathPattern, b: PathPattern): number {
  if (a.kind === 'Template' && b.kind === 'Template') return compareTemplates(a.segments, b.segments);
  if (a.kind !== b.kind) return PATH_KINDS[a.kind] - PATH_KINDS[b.kind];
  if (a.kind === 'Exact') return compareText(a.text, b.text);
  return b.text.length - a.text.length || compareText(a.text, b.text);
}

type Segments = Extract<PathPattern, { readonly kind: 'Template' }>['segments'];

/** Names of variables do not matter: `/{a}` and `/{b}` are the same path. */
function compareTemplates(a: Segments, b: Segments): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a[i] as Segments[number];
    const right = b[i] as Segments[number];
    const isLiteral = typeof left === 'string';
    if (isLiteral !== (typeof right === 'string')) return isLiteral ? -1 : 1;
    const order = isLiteral ? compareText(left, right as string) : 0;
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By UTF-16 code unit: the same everywhere, whatever the locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
