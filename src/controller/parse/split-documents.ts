import type { Buffer } from 'node:buffer';

/** The bytes of one YAML document inside its file. */
export interface DocumentSlice {
  readonly bytes: Buffer;
  /** Lines of the file before it. */
  readonly linesBefore: number;
}

/** At column 0 these are markers wherever they stand, inside block and quoted scalars too (YAML 1.2.2 §9.1.2). */
const words = ['---', '...'];

/**
 * Cuts a file with LF line ends into its documents, without reading them. Comments and blank lines around a document
 * that begin at column 0 are left out, so that editing them changes no document; directives stay with theirs.
 */
export function splitDocuments(bytes: Buffer): readonly DocumentSlice[] {
  // One character per byte: offsets are the same in both, and searching a string is much faster.
  const text = bytes.toString('latin1');
  const slices: DocumentSlice[] = [];
  let start = 0;
  let line = 0;
  let counted = 0;

  const cut = (end: number): void => {
    const from = contentStart(text, start, end);
    if (from === end) return;
    const to = contentEnd(text, from, end);
    for (let i = text.indexOf('\n', counted); i >= 0 && i < from; i = text.indexOf('\n', i + 1)) line++;
    counted = from;
    slices.push({ bytes: bytes.subarray(from, to), linesBefore: line });
  };

  for (const index of markers(text)) {
    if (text[index] === '.') {
      const lineEnd = text.indexOf('\n', index);
      const end = lineEnd < 0 ? text.length : lineEnd + 1;
      cut(end);
      start = end;
    } else if (index > start && !hasOnlyDirectives(text, start, index)) {
      cut(index);
      start = index;
    }
  }
  cut(text.length);
  return slices;
}

/** Where lines begin with a marker, in order. Searches for texts: many times faster than a pattern. */
function* markers(text: string): Generator<number> {
  const isMarker = (at: number): boolean =>
    at + 3 === text.length || ' \t\n'.includes(text[at + 3] as string);
  if (words.includes(text.slice(0, 3)) && isMarker(0)) yield 0;
  const [separator, end] = words.map((word) => `\n${word}`) as [string, string];
  let nextSeparator = text.indexOf(separator);
  let nextEnd = text.indexOf(end);
  while (nextSeparator >= 0 || nextEnd >= 0) {
    const isEnd = nextSeparator < 0 || (nextEnd >= 0 && nextEnd < nextSeparator);
    const at = isEnd ? nextEnd : nextSeparator;
    if (isMarker(at + 1)) yield at + 1;
    if (isEnd) nextEnd = text.indexOf(end, at + 1);
    else nextSeparator = text.indexOf(separator, at + 1);
  }
}

/** Where the first line stands that is neither blank nor a comment; `end` if the rest is only `---` or `...`. */
function contentStart(text: string, start: number, end: number): number {
  let content = -1;
  for (let at = start; at < end; at = lineAfter(text, at, end)) {
    if (isNothing(text, at, end)) continue;
    if (content < 0) content = at;
    // A marker alone is not content, but content that follows begins with it.
    if (
      !/^(?:---|\.\.\.)[ \t]*(?:#.*)?$/.test(
        text.slice(at, Math.min(lineAfter(text, at, end), at + 4096)).trimEnd(),
      )
    )
      return content;
  }
  return end;
}

/** After the last line that is neither blank nor a comment at column 0. */
function contentEnd(text: string, start: number, end: number): number {
  let to = end;
  while (to > start) {
    const lineStart = text.lastIndexOf('\n', to - 2) + 1;
    const first = text[lineStart];
    if (lineStart <= start || (first !== '#' && first !== '\n' && lineStart !== to)) break;
    to = lineStart;
  }
  return to;
}

/** Directives (`%YAML 1.2`) stand before the `---` of their document. */
function hasOnlyDirectives(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at = lineAfter(text, at, end)) {
    if (text[at] !== '%' && !isNothing(text, at, end)) return false;
  }
  return true;
}

function isNothing(text: string, lineStart: number, end: number): boolean {
  let at = lineStart;
  while (at < end && (text[at] === ' ' || text[at] === '\t')) at++;
  return at >= end || text[at] === '\n' || text[at] === '#';
}

function lineAfter(text: string, at: number, end: number): number {
  const next = text.indexOf('\n', at);
  return next < 0 || next >= end ? end : next + 1;
}
