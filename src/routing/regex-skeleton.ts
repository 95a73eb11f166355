/**
 * What can be seen of a pattern's matches without running it: literal texts with one stretch of anything but slashes between
 * them. Every match begins with the first text, goes on to the next slash, has the second text there, and so on:
 * `/api/v[0-9]+/users/.*` → `['/api/v', '/users/']`. Sound, not complete: where a construct is not understood the skeleton ends. By it
 * regexes are found in an index instead of being tried one after the other.
 */
export function regexSkeleton(source: string): readonly string[] {
  const reader = new Reader(source);
  if (source.startsWith('^')) reader.at = 1;
  const pieces: string[] = [];
  let piece = '';
  let isWild = false;
  for (;;) {
    const atom = reader.atom();
    // An alternation at the top may void all that stands before it.
    if (atom === ALTERNATION) return [''];
    if (atom === UNKNOWN || atom === END) break;
    const count = reader.count();
    if (typeof atom === 'string') {
      if (isWild && atom === '/' && count === 'one') {
        pieces.push(piece);
        piece = '';
        isWild = false;
      }
      if (!isWild && count !== 'any') piece += atom;
      if (atom === '/' && count !== 'one') break;
      if (count !== 'one') isWild = true;
    } else isWild = true;
  }
  if (reader.hasTopAlternation()) return [''];
  pieces.push(piece);
  return pieces;
}

/** The text that every match begins with; '': unknown. */
export function literalPrefix(source: string): string {
  return regexSkeleton(source)[0] ?? '';
}

const END = 0;
const UNKNOWN = 1;
const ALTERNATION = 2;
/** Something that cannot match a slash. */
const SLASH_FREE = 3;

/** A character that stands for itself, or one of the above. */
type Atom = string | typeof END | typeof UNKNOWN | typeof ALTERNATION | typeof SLASH_FREE;

/** Reads a pattern of RE2 syntax from left to right. */
class Reader {
  at = 0;
  private readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** Reads one atom; one that is not understood stays where it is. */
  atom(): Atom {
    const start = this.at;
    const atom = this.next();
    if (atom === UNKNOWN) this.at = start;
    return atom;
  }

  private next(): Atom {
    const char = this.source[this.at];
    if (char === undefined || char === ')') return END;
    this.at++;
    switch (char) {
      case '|':
        return ALTERNATION;
      case '\\':
        return this.escape();
      case '[':
        return this.charClass();
      case '(':
        return this.group();
      case '.':
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '{':
        return UNKNOWN;
      default:
        // Half of a surrogate pair is no character of its own.
        return char >= '\ud800' && char <= '\udfff' ? UNKNOWN : char;
    }
  }

  /** How often the atom before is taken: once, at least once, or perhaps not at all. */
  count(): 'one' | 'some' | 'any' {
    const char = this.source[this.at];
    if (char !== '*' && char !== '+' && char !== '?' && char !== '{') return 'one';
    if (char === '{') {
      const repeat = /^\{\d+(?:,\d*)?\}/.exec(this.source.slice(this.at));
      this.at += repeat?.[0].length ?? 0;
      // A brace that counts nothing is read as an atom next, which ends the skeleton.
      if (repeat === null) return 'any';
    } else this.at++;
    if (this.source[this.at] === '?') this.at++;
    return char === '+' ? 'some' : 'any';
  }

  /** Whether an alternation stands outside of all groups from here on; true where that cannot be told. */
  hasTopAlternation(): boolean {
    const rest = this.source;
    let depth = 0;
    for (let i = this.at; i < rest.length; i++) {
      const char = rest[i];
      if (char === '\\') {
        // \Q…\E quotes.
        if (rest[i + 1] === 'Q') return true;
        i++;
      } else if (char === '[') {
        const end = /^\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]/s.exec(rest.slice(i));
        if (end === null) return true;
        i += end[0].length - 1;
      } else if (char === '(') depth++;
      else if (char === ')') depth--;
      else if (char === '|' && depth <= 0) return true;
    }
    return false;
  }

  private escape(): Atom {
    const char = this.source[this.at++] ?? '';
    if (char === 'd' || char === 'w' || char === 's') return SLASH_FREE;
    // An escaped punctuation mark is itself; other letters and digits are classes, anchors or codes.
    return /^[!-/:-@[-`{-~]$/.test(char) ? char : UNKNOWN;
  }

  private charClass(): Atom {
    const text = /^(\^?)(\]?(?:\\.|[^\]\\[])*)\]/s.exec(this.source.slice(this.at));
    if (text === null) return UNKNOWN;
    const [whole, negation, members] = text as unknown as [string, string, string];
    this.at += whole.length;
    if (/\\[^dws!-/:-@[-`{-~]/.test(members)) return UNKNOWN;
    if (negation === '^') return members.includes('/') ? SLASH_FREE : UNKNOWN;
    if (members.includes('/')) return UNKNOWN;
    // A range from below to above the slash holds it: `[+-9]`.
    const ranges = members.matchAll(/(?:\\(.)|([^\\]))-(?:\\(.)|([^\\]))/gs);
    for (const [, from1, from2, to1, to2] of ranges) {
      if ((from1 ?? from2 ?? '') <= '/' && (to1 ?? to2 ?? '') >= '/') return UNKNOWN;
    }
    return SLASH_FREE;
  }

  /** A group is slash-free if all in it is. */
  private group(): Atom {
    const opening = /^(?:\?:|\?P?<[A-Za-z_]\w*>)?/.exec(this.source.slice(this.at)) as RegExpExecArray;
    this.at += opening[0].length;
    for (;;) {
      const atom = this.atom();
      if (atom === END) break;
      if (atom === UNKNOWN || atom === '/') return UNKNOWN;
      if (atom !== ALTERNATION) this.count();
    }
    this.at++;
    return SLASH_FREE;
  }
}
