import type { ValueMatch } from '../snapshot/model.ts';
import { compileRegex } from './regex.ts';

/** One condition on a header or a query parameter, compiled. */
export interface ValueCondition {
  readonly name: string;
  readonly test: (value: string) => boolean;
}

/** @throws RegexError */
export function compileValueCondition(match: ValueMatch): ValueCondition {
  const { name, value } = match;
  switch (match.type) {
    case 'Exact':
      return { name, test: (candidate) => candidate === value };
    case 'Prefix':
      return { name, test: (candidate) => candidate.startsWith(value) };
    case 'Present':
      return { name, test: () => true };
    case 'Regex': {
      const regex = compileRegex(value);
      return { name, test: (candidate) => regex.test(candidate) };
    }
  }
}
