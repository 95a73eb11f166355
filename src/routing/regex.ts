import { RE2JSException, RE2Set } from 're2js';

/** A compiled regular expression that takes time linear in the text, whatever the pattern. */
export interface Regex {
  readonly source: string;
  /** Whether the WHOLE text matches: anchored at both ends, like Envoy and the Gateway API do. */
  test(text: string): boolean;
}

/** The pattern is not one that RE2 understands (back references and look-around are not regular). */
export class RegexError extends Error {
  override readonly name = 'RegexError';
}

/**
 * Compiles RE2 syntax for full matches: `/users/[0-9]+` matches `/users/7` and neither `/users/7/x` nor `/x/users/7`.
 * Path, header and query expressions all mean the whole value; write `.*` where something may stand around.
 * @throws RegexError with a message for the author of the pattern
 */
export function compileRegex(source: string): Regex {
  // A set of one: the only door to the engine's automaton that lets its memory be bounded.
  const automaton = new RE2Set(RE2Set.ANCHOR_BOTH, 0, AUTOMATON_BYTES);
  try {
    automaton.add(source);
    automaton.compile();
  } catch (error) {
    if (error instanceof RE2JSException) throw new RegexError(error.message, { cause: error });
    throw error;
  }
  return { source, test: (text) => automaton.match(text).length > 0 };
}

/** What clients' texts can make one expression remember (G9); beyond, it forgets and goes on. */
const AUTOMATON_BYTES = 256 * 1024;

const META = new Set('\\^$.|?*+()[]{}');

/**
 * The text that every match begins with, as far as it can be seen without understanding the pattern: characters before
 * the first one with a meaning; '' where an alternation could void them. Sound, not complete.
 */
export function literalPrefix(source: string): string {
  if (hasTopLevelAlternation(source)) return '';
  let prefix = '';
  let i = source.startsWith('^') ? 1 : 0;
  while (i < source.length) {
    let char = source[i] as string;
    let width = 1;
    if (char === '\\') {
      // An escaped punctuation mark is itself; escaped letters and digits are classes, anchors or codes.
      char = source[i + 1] ?? '';
      width = 2;
      if (!/^[!-/:-@[-`{-~]$/.test(char)) break;
    } else if (META.has(char)) break;
    // Surrogate halves: leave whole characters to the engine.
    if (char >= '\ud800' && char <= '\udfff') break;
    const next = source[i + width];
    if (next === '?' || next === '*' || next === '{') break;
    prefix += char;
    i += width;
    if (next === '+') break;
  }
  return prefix;
}

function hasTopLevelAlternation(source: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const char = source[i];
    if (char === '\\') {
      // \Q…\E quotes; rare enough to give up on.
      if (source[i + 1] === 'Q') return true;
      i++;
    } else if (inClass) {
      if (char === ']') inClass = false;
    } else if (char === '[') {
      inClass = true;
      if (source[i + 1] === '^') i++;
      if (source[i + 1] === ']') i++;
    } else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === '|' && depth === 0) return true;
  }
  return false;
}
