/** A command line that no shell would take; the message is for its author. */
export class ShellWordsError extends Error {
  override readonly name = 'ShellWordsError';
}

/**
 * Splits a command line into words as a POSIX shell does (XCU §2.2): quotes, backslashes, line continuations, and `$'…'` as
 * browsers write it. Nothing is expanded or run: variables and substitutions are refused, for their values are not here.
 * @throws ShellWordsError
 */
export function splitShellWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let i = 0;
  while (i < line.length) {
    const char = line[i] as string;
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      i++;
    } else if (char === '\\') {
      if (line[i + 1] !== '\n' && !line.startsWith('\r\n', i + 1)) word = (word ?? '') + (line[i + 1] ?? '');
      i += line.startsWith('\r\n', i + 1) ? 3 : 2;
    } else {
      const piece = readPiece(line, i);
      word = (word ?? '') + piece.text;
      i = piece.end;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

interface Piece {
  readonly text: string;
  /** Where the next one begins. */
  readonly end: number;
}

function readPiece(line: string, at: number): Piece {
  const char = line[at] as string;
  if (char === "'") {
    const end = line.indexOf("'", at + 1);
    if (end < 0) throw new ShellWordsError("a ' is not closed");
    return { text: line.slice(at + 1, end), end: end + 1 };
  }
  if (char === '"') return readDouble(line, at + 1);
  if (line.startsWith("$'", at)) return readAnsi(line, at + 2);
  if (char === '$' && /[\w({]/.test(line[at + 1] ?? '')) refuseExpansion(line, at);
  if (char === '`') refuseExpansion(line, at);
  if (/[|&;<>]/.test(char))
    throw new ShellWordsError(`${char} is for the shell: give the curl command alone`);
  return { text: char, end: at + 1 };
}

function readDouble(line: string, from: number): Piece {
  let text = '';
  for (let i = from; i < line.length; i++) {
    const char = line[i] as string;
    if (char === '"') return { text, end: i + 1 };
    if (char === '`' || (char === '$' && /[\w({]/.test(line[i + 1] ?? ''))) refuseExpansion(line, i);
    const next = line[i + 1] ?? '';
    if (char === '\\' && /["\\$`\n]/.test(next)) {
      if (next !== '\n') text += next;
      i++;
    } else text += char;
  }
  throw new ShellWordsError('a " is not closed');
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  v: '\v',
};

function readAnsi(line: string, from: number): Piece {
  let text = '';
  for (let i = from; i < line.length; i++) {
    const char = line[i] as string;
    if (char === "'") return { text, end: i + 1 };
    if (char !== '\\') {
      text += char;
      continue;
    }
    const code = /^\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4}))/.exec(line.slice(i, i + 6));
    const digits = code?.[1] ?? code?.[2];
    if (code !== null && digits !== undefined) {
      text += String.fromCharCode(Number.parseInt(digits, 16));
      i += code[0].length - 1;
    } else {
      const next = line[++i] ?? '';
      text += escapes[next] ?? next;
    }
  }
  throw new ShellWordsError("a $' is not closed");
}

function refuseExpansion(line: string, at: number): never {
  const shown = /^(?:\$\w+|\$.|`)/.exec(line.slice(at))?.[0] ?? '$';
  throw new ShellWordsError(`${shown} would be expanded by the shell: write its value`);
}
