import type { ValueMatch } from '../snapshot/model.ts';
import { compileRegex } from './regex.ts';

/** One condition on a header or a query parameter, compiled. */
export interface ValueCondition {
  readonly name: string;
  /** Equal for conditions that mean the same. */
  readonly key: string;
  readonly test: (value: string) => boolean;
}

/** @throws RegexError */
export function compileValueCondition(match: ValueMatch): ValueCondition {
  const { name, type, value } = match;
  const key = JSON.stringify(type === 'Present' ? [name, type] : [name, type, value]);
  switch (type) {
    case 'Exact':
      return { name, key, test: (candidate) => candidate === value };
    case 'Prefix':
      return { name, key, test: (candidate) => candidate.startsWith(value) };
    case 'Present':
      return { name, key, test: () => true };
    case 'Regex': {
      const regex = compileRegex(value);
      return { name, key, test: (candidate) => regex.test(candidate) };
    }
  }
}
