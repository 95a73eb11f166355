import { acceptsMethod, conditionsHold } from './rule.ts';
import type { MatchRequest, Rule } from './rule.ts';

/** The best rule found; null: none, but some may have failed by their method only; undefined: none. */
export type Found<T> = Rule<T> | null | undefined;

/** One search of one request through a table. */
export class Walk {
  readonly request: MatchRequest;
  /** `pathText` of the request's path. */
  readonly text: string;
  /** Set: nothing is found; instead the methods of all rules that would have matched with another method are collected here. */
  readonly allow: Set<string> | undefined;
  /** Under which hostname of the table the last find was made. */
  hostname = '';

  constructor(request: MatchRequest, text: string, allow: Set<string> | undefined) {
    this.request = request;
    this.text = text;
    this.allow = allow;
  }

  /** Whether a rule whose path has been looked at wins: true, false, or null where only the method may stand in the way. */
  tries(rule: Rule): boolean | null {
    if (this.allow !== undefined) {
      if (pathHolds(rule, this.text) && conditionsHold(rule, this.request)) {
        for (const method of rule.methods ?? []) this.allow.add(method);
      }
      return null;
    }
    if (!acceptsMethod(rule, this.request.method)) return null;
    return pathHolds(rule, this.text) && conditionsHold(rule, this.request);
  }
}

/** Regexes are tested here; all other paths were followed on the way to the rule. */
function pathHolds(rule: Rule, text: string): boolean {
  return rule.path.kind !== 'Regex' || rule.path.regex.test(text);
}

/** Joins two searches, the later one of which sought only what beats the find of the earlier. */
export function better<T>(later: Found<T>, earlier: Found<T>): Found<T> {
  if (later) return later;
  return earlier === undefined ? later : earlier;
}
