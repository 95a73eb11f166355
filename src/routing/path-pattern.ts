import type { PathMatch } from '../snapshot/model.ts';
import { normalizePath } from './normalize.ts';
import { pathText } from './path-text.ts';
import { foldedText } from './readings.ts';
import { regexSkeleton } from './regex-skeleton.ts';
import { compileRegex, RegexError } from './regex.ts';
import type { Regex } from './regex.ts';

/** A variable of a template: stands for one segment that is not empty. */
export interface Variable {
  readonly variable: string;
}

/**
 * A path condition, compiled. Values are normalised as requests are and compared as `pathText`.
 * `/a/` and `/a` differ as exact paths and templates; as prefixes they are the same: `/a` and everything below it.
 */
export type PathPattern =
  | { readonly kind: 'Exact'; readonly text: string }
  | {
      readonly kind: 'Template';
      readonly text: string;
      readonly segments: readonly (string | Variable)[];
      readonly variables: boolean;
    }
  /** `text` has no trailing slash: '' is the prefix of every path. `prefix` is as users see it. */
  | {
      readonly kind: 'Prefix';
      readonly text: string;
      readonly prefix: string;
      /** Number of segments. */
      readonly depth: number;
    }
  | {
      readonly kind: 'Regex';
      readonly text: string;
      readonly regex: Regex;
      readonly skeleton: readonly string[];
    }
  | { readonly kind: 'Any'; readonly text: '' };

/** A path condition that can match nothing or is no path at all; the message is for its author. */
export class PathPatternError extends Error {
  override readonly name = 'PathPatternError';
}

const ANY: PathPattern = { kind: 'Any', text: '' };

/** @throws PathPatternError */
export function compilePathPattern(match: PathMatch | undefined): PathPattern {
  if (match === undefined) return ANY;
  switch (match.type) {
    case 'Exact':
      return { kind: 'Exact', text: match.value === '*' ? '*' : pathText(normalized(match.value)) };
    case 'Prefix': {
      const path = normalized(match.value);
      const prefix = path.endsWith('/') ? path.slice(0, -1) : path;
      const text = pathText(prefix);
      return {
        kind: 'Prefix',
        text,
        prefix: prefix === '' ? '/' : prefix,
        depth: segmentsOf(text).length,
      };
    }
    case 'Template':
      return template(match.value);
    case 'Regex':
      try {
        return {
          kind: 'Regex',
          text: match.value,
          regex: compileRegex(match.value),
          skeleton: regexSkeleton(match.value),
        };
      } catch (error) {
        if (error instanceof RegexError) throw new PathPatternError(error.message, { cause: error });
        throw error;
      }
  }
}

/** What is wrong with a path condition, in words for its author; undefined: nothing. */
export function checkPathMatch(match: PathMatch): string | undefined {
  try {
    compilePathPattern(match);
    return undefined;
  } catch (error) {
    if (error instanceof PathPatternError) return error.message;
    throw error;
  }
}

/** The pattern for paths in lower case; itself where nothing changes, and for regexes. */
export function foldedPattern(pattern: PathPattern): PathPattern {
  if (pattern.kind === 'Regex' || pattern.kind === 'Any' || pattern.text === '*') return pattern;
  if (pattern.kind === 'Template') {
    const segments = pattern.segments.map((segment) =>
      typeof segment === 'string' ? foldedSegment(segment) : segment,
    );
    const changed = segments.some((segment, index) => segment !== pattern.segments[index]);
    return changed ? { ...pattern, segments } : pattern;
  }
  const text = pattern.text === '' ? '' : foldedText(pattern.text);
  if (text === pattern.text) return pattern;
  return pattern.kind === 'Exact' ? { ...pattern, text } : { ...pattern, text };
}

/** Those of a prefix, which keeps no list of them: it is only walked along when the table changes. */
export function prefixSegments({
  text,
}: Extract<PathPattern, { readonly kind: 'Prefix' }>): readonly string[] {
  return segmentsOf(text);
}

function segmentsOf(text: string): readonly string[] {
  return text === '' ? [] : text.slice(1).split('/');
}

function foldedSegment(segment: string): string {
  return foldedText(`/${segment}`).slice(1);
}

const PROBLEMS = {
  not_origin_form: 'must begin with "/"',
  fragment: 'must not contain "#"',
  invalid_escape: 'contains a "%" that is not followed by two hexadecimal digits',
  invalid_character: 'contains a character that must be percent-encoded as UTF-8',
  invalid_utf8: 'contains escapes that are not UTF-8',
  encoded_slash: 'contains an encoded slash, which requests are refused for',
  backslash: 'contains a backslash, which requests are refused for',
  control_character: 'contains a blank or control character',
  double_encoding: 'contains a doubly encoded character, which requests are refused for',
  parameters_in_dot_segment:
    'contains parameters in a dot segment or an empty one, which requests are refused for',
  above_root: 'leads above the root',
} as const;

function normalized(value: string): string {
  // No request path holds a query; a `?` here is a mistake that would never match.
  if (value.includes('?'))
    throw new PathPatternError('must not contain "?": conditions on the query stand in `query`');
  const result = normalizePath(utf8Escaped(value));
  if ('rejected' in result) throw new PathPatternError(PROBLEMS[result.rejected]);
  return result.path;
}

/** Authors may write `/straße`; requests hold it escaped. */
function utf8Escaped(value: string): string {
  try {
    return value.replace(/[^\u0000-\u007f]+/g, encodeURIComponent);
  } catch {
    throw new PathPatternError('contains half a surrogate pair');
  }
}

const VARIABLE = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

function template(value: string): PathPattern {
  if (!value.startsWith('/')) throw new PathPatternError(PROBLEMS.not_origin_form);
  const names = new Set<string>();
  const segments = value
    .slice(1)
    .split('/')
    .map((segment, index, all): string | Variable => {
      const variable = VARIABLE.exec(segment)?.[1];
      if (variable !== undefined) {
        if (names.has(variable)) throw new PathPatternError(`names the variable "${variable}" twice`);
        names.add(variable);
        return { variable };
      }
      if (/[{}]/.test(segment)) {
        throw new PathPatternError(
          `has a segment "${segment}" that is neither literal nor one variable like "{name}"`,
        );
      }
      const literal = normalized('/' + segment);
      if (literal.slice(1) === segment || literal.length > 1) {
        if (segment === '' && index < all.length - 1) throw new PathPatternError('has an empty segment');
        return literal.slice(1) === segment ? pathText(segment) : pathText(literal.slice(1));
      }
      throw new PathPatternError(`has a dot segment "${segment}"`);
    });
  const text = ['', ...segments.map((segment) => (typeof segment === 'string' ? segment : '{}'))].join('/');
  return { kind: 'Template', text, segments, variables: names.size > 0 };
}
