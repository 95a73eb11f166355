import type { ValueMatch } from '../snapshot/model.ts';
import { compileRegex } from './regex.ts';
import type { Regex } from './regex.ts';

/** One condition on a header or a query parameter, compiled. */
export class ValueCondition {
  private readonly match: ValueMatch;
  private readonly regex: Regex | undefined;

  /** @throws RegexError */
  constructor(match: ValueMatch) {
    this.match = match;
    this.regex = match.type === 'Regex' ? compileRegex(match.value) : undefined;
  }

  get name(): string {
    return this.match.name;
  }

  /** Equal for conditions that mean the same. */
  get key(): string {
    const { name, type, value } = this.match;
    return JSON.stringify(type === 'Present' ? [name, type] : [name, type, value]);
  }

  test(candidate: string): boolean {
    const { type, value } = this.match;
    switch (type) {
      case 'Exact':
        return candidate === value;
      case 'Prefix':
        return candidate.startsWith(value);
      case 'Present':
        return true;
      case 'Regex':
        return (this.regex as Regex).test(candidate);
    }
  }
}
