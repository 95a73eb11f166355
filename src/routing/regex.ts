import { createRequire } from 'node:module';
import type * as Engine from 're2js';

const load = createRequire(import.meta.url);

/** Loaded with the first expression, which takes 8 ms once: most configurations have none, and each thread is 2 MiB smaller. */
function engine(): typeof Engine {
  return load('re2js') as typeof Engine;
}

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
  const { RE2JSException, RE2Set } = engine();
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
