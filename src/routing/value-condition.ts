import type { ValueMatch } from '../snapshot/model.ts';
import { fromFieldValue, toFieldValue } from './field-value.ts';
import { compileRegex } from './regex.ts';
import type { Regex } from './regex.ts';

/** One condition on a query parameter, compiled. */
export class ValueCondition {
  readonly name: string;
  protected readonly type: ValueMatch['type'];
  private readonly value: string;
  private readonly regex: Regex | undefined;

  /** @throws RegexError */
  constructor({ name, type, value }: ValueMatch) {
    this.name = name;
    this.type = type;
    this.value = value;
    this.regex = type === 'Regex' ? compileRegex(value) : undefined;
  }

  /** Equal for conditions that mean the same. */
  get key(): string {
    const { name, type, value } = this;
    return JSON.stringify(type === 'Present' ? [name, type] : [name, type, value]);
  }

  test(candidate: string): boolean {
    switch (this.type) {
      case 'Exact':
        return candidate === this.value;
      case 'Prefix':
        return candidate.startsWith(this.value);
      case 'Present':
        return true;
      case 'Regex':
        return (this.regex as Regex).test(candidate);
    }
  }
}

/** The same on a header, whose value is a list of bytes: text stands for its UTF-8, as in what middlewares set. */
export class HeaderCondition extends ValueCondition {
  constructor(match: ValueMatch) {
    super(match.type === 'Regex' ? match : { ...match, value: toFieldValue(match.value) });
  }

  override test(candidate: string): boolean {
    return super.test(this.type === 'Regex' ? fromFieldValue(candidate) : candidate);
  }
}
