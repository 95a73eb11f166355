/** A document in the plain subset, as plain data, with the place of its first field. */
export interface PlainReading {
  readonly value: unknown;
  readonly place: { readonly line: number; readonly column: number };
}

/** Printable ASCII in lines: no tabs, no characters that could look like others, nothing that has to be unescaped. */
const beyondPlain = /[^\n\x20-\x7e]/;
const keyPattern = /([A-Za-z_][\w./-]{0,200}):/y;
/** What a text without quotes may begin with here; YAML allows more. */
const plainStart = /[\w/.$+~^(]|-[\w.]/y;
const flowPlain = /[^\n,[\]{}]+/y;
/** Whatever the core schema could take for something else than a text. */
const special =
  /^(?:~|null|Null|NULL|true|True|TRUE|false|False|FALSE|0o[0-7]+|0x[\da-fA-F]+|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const specialStart = /[-+.~\dnNtTfF]/;
const safeInteger = /^-?(?:0|[1-9]\d{0,14})$/;
const maxDepth = 20;

/**
 * Reads what nearly all configuration is written in: block mappings and sequences, one-line flow collections, one-line
 * texts with or without quotes, comments. Undefined for everything else: anchors, tags, escapes, texts over several lines,
 * other characters than ASCII, and whatever is not YAML. Those are for `readYaml`, which also says every error and every
 * place. What both can read means the same in both (docs/decisions/0013-plain-yaml.md).
 */
export function readPlainYaml(text: string): PlainReading | undefined {
  if (beyondPlain.test(text)) return undefined;
  const lines = contentLines(text);
  const [first] = lines;
  if (first === undefined || first.indent !== 0) return undefined;
  const value = new PlainReader(text, lines).read();
  return value === undefined ? undefined : { value, place: { line: first.number, column: 1 } };
}

/** A line with content: from `start`, which stands in column `indent`, to `end`, blanks around it left out. */
interface Line {
  indent: number;
  start: number;
  readonly end: number;
  /** 1-based. */
  readonly number: number;
}

function contentLines(text: string): Line[] {
  const lines: Line[] = [];
  let number = 0;
  for (let lineStart = 0, next; lineStart < text.length; lineStart = next) {
    number++;
    const newline = text.indexOf('\n', lineStart);
    next = newline < 0 ? text.length : newline + 1;
    let end = newline < 0 ? text.length : newline;
    let start = lineStart;
    while (start < end && text[start] === ' ') start++;
    if (start === end || text[start] === '#') continue;
    while (text[end - 1] === ' ') end--;
    const isMarker = lines.length === 0 && start === lineStart && text.slice(start, end) === '---';
    if (!isMarker) lines.push({ indent: start - lineStart, start, end, number });
  }
  return lines;
}

/** Undefined always means: beyond the subset. Fields hold everything else that a value can be. */
type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };

class PlainReader {
  readonly #text: string;
  readonly #lines: readonly Line[];
  /** Index of the line that is read. */
  #next = 0;
  /** Behind what was read of a line. */
  #at = 0;
  #depth = 0;

  constructor(text: string, lines: readonly Line[]) {
    this.#text = text;
    this.#lines = lines;
  }

  read(): Value | undefined {
    const value = this.#block(0);
    return this.#next === this.#lines.length ? value : undefined;
  }

  /** What begins on the next line, at this indentation. */
  #block(indent: number): Value | undefined {
    if (this.#depth === maxDepth) return undefined;
    this.#depth++;
    const line = this.#lines[this.#next] as Line;
    const value = this.#isItem(line) ? this.#sequence(indent) : this.#mapping(indent);
    this.#depth--;
    return value;
  }

  #isItem({ start, end }: Line): boolean {
    return this.#text[start] === '-' && start + 1 < end && this.#text[start + 1] === ' ';
  }

  #mapping(indent: number): Value | undefined {
    const fields: Record<string, Value> = {};
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[this.#next]) {
      if (line.indent < indent) break;
      const key = line.indent === indent ? this.#key(line.start, line.end) : undefined;
      if (key === undefined || !isNew(fields, key)) return undefined;
      const value = this.#isEmptyFrom(this.#at, line.end) ? this.#below(indent) : this.#onLine(line);
      if (value === undefined) return undefined;
      fields[key] = value;
    }
    return fields;
  }

  #sequence(indent: number): Value | undefined {
    const items: Value[] = [];
    for (let line = this.#lines[this.#next]; line !== undefined; line = this.#lines[this.#next]) {
      if (line.indent < indent) break;
      if (line.indent > indent) return undefined;
      // The field after a list that is not indented more than its own field.
      if (!this.#isItem(line)) break;
      const item = this.#item(line);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  #item(line: Line): Value | undefined {
    let start = line.start + 1;
    while (this.#text[start] === ' ') start++;
    this.#at = start;
    if (this.#key(start, line.end) === undefined) {
      this.#at = start;
      return this.#onLine(line);
    }
    // The mapping begins behind the dash, as if it stood on a line of its own.
    line.indent += start - line.start;
    line.start = start;
    return this.#block(line.indent);
  }

  /** The value of a field whose line ends behind the colon. */
  #below(indent: number): Value | undefined {
    this.#next++;
    const line = this.#lines[this.#next];
    if (line === undefined || line.indent < indent) return null;
    if (line.indent > indent) return this.#block(line.indent);
    return this.#isItem(line) ? this.#block(indent) : null;
  }

  /** A value from `#at` to the end of its line; whoever goes on finds out if the next line would belong to it. */
  #onLine(line: Line): Value | undefined {
    const start = this.#at;
    const value = this.#isQuoted(start)
      ? this.#quoted(line.end)
      : this.#isFlow(start)
        ? this.#flow(line.end)
        : this.#plainToEnd(line.end);
    if (value === undefined || !this.#isEmptyFrom(this.#at, line.end)) return undefined;
    this.#next++;
    return value;
  }

  /** A field's name with its colon; then `#at` is where the value begins, or the end of the line. */
  #key(start: number, end: number): string | undefined {
    keyPattern.lastIndex = start;
    const name = keyPattern.exec(this.#text)?.[1];
    if (name === undefined) return undefined;
    const behind = start + name.length + 1;
    if (behind < end && this.#text[behind] !== ' ') return undefined;
    this.#at = this.#skipBlanks(behind, end);
    return name;
  }

  /** Nothing but blanks, or a comment with a blank before it. */
  #isEmptyFrom(at: number, end: number): boolean {
    const content = this.#skipBlanks(at, end);
    return content === end || (this.#text[content] === '#' && this.#text[content - 1] === ' ');
  }

  #skipBlanks(at: number, end: number): number {
    while (at < end && this.#text[at] === ' ') at++;
    return at;
  }

  #isQuoted(at: number): boolean {
    return this.#text[at] === '"' || this.#text[at] === "'";
  }

  #isFlow(at: number): boolean {
    return this.#text[at] === '{' || this.#text[at] === '[';
  }

  #quoted(end: number): string | undefined {
    const quote = this.#text[this.#at] as string;
    const close = this.#text.indexOf(quote, this.#at + 1);
    if (close < 0 || close >= end) return undefined;
    const content = this.#text.slice(this.#at + 1, close);
    this.#at = close + 1;
    const isEscaped = quote === '"' ? content.includes('\\') : this.#text[this.#at] === quote;
    return isEscaped ? undefined : content;
  }

  #plainToEnd(end: number): Value | undefined {
    const content = this.#text.slice(this.#at, end);
    const comment = content.indexOf(' #');
    const text = comment < 0 ? content : content.slice(0, comment).trimEnd();
    const value = this.#plain(text);
    this.#at += text.length;
    return value;
  }

  /** What a text that begins at `#at` means without quotes. */
  #plain(text: string): Value | undefined {
    plainStart.lastIndex = this.#at;
    if (!plainStart.test(this.#text) || text.includes(': ') || text.endsWith(':')) return undefined;
    if (!specialStart.test(text[0] as string) || !special.test(text)) return text;
    if (text === 'true') return true;
    if (text === 'false') return false;
    if (text === 'null' || text === '~') return null;
    // Also not "-0", which JSON has no number for.
    return safeInteger.test(text) && text !== '-0' ? Number(text) : undefined;
  }

  /** A flow collection, or anything inside one. */
  #flow(end: number): Value | undefined {
    if (this.#depth === maxDepth) return undefined;
    this.#depth++;
    const value =
      this.#text[this.#at] === '{'
        ? this.#flowMapping(end)
        : this.#text[this.#at] === '['
          ? this.#flowSequence(end)
          : this.#isQuoted(this.#at)
            ? this.#quoted(end)
            : this.#flowPlain(end);
    this.#depth--;
    return value;
  }

  #flowPlain(end: number): Value | undefined {
    flowPlain.lastIndex = this.#at;
    const text = flowPlain.exec(this.#text)?.[0].trimEnd() ?? '';
    if (text === '' || text.includes(' #') || this.#at + text.length > end) return undefined;
    const value = this.#plain(text);
    this.#at += text.length;
    return value;
  }

  #flowSequence(end: number): Value | undefined {
    const items: Value[] = [];
    this.#at = this.#skipBlanks(this.#at + 1, end);
    while (this.#text[this.#at] !== ']') {
      const item = this.#flow(end);
      if (item === undefined || !this.#flowNext(']', end)) return undefined;
      items.push(item);
    }
    this.#at++;
    return items;
  }

  #flowMapping(end: number): Value | undefined {
    const fields: Record<string, Value> = {};
    this.#at = this.#skipBlanks(this.#at + 1, end);
    while (this.#text[this.#at] !== '}') {
      const key = this.#isQuoted(this.#at) ? this.#quotedKey(end) : this.#key(this.#at, end);
      if (key === undefined || !isNew(fields, key)) return undefined;
      const value = this.#flow(end);
      if (value === undefined || !this.#flowNext('}', end)) return undefined;
      fields[key] = value;
    }
    this.#at++;
    return fields;
  }

  #quotedKey(end: number): string | undefined {
    const key = this.#quoted(end);
    if (key === undefined || key.length > 200 || !this.#text.startsWith(': ', this.#at)) return undefined;
    this.#at = this.#skipBlanks(this.#at + 1, end);
    return key;
  }

  /** Goes to the next item, or to the closing bracket; false where neither follows on the line. */
  #flowNext(close: string, end: number): boolean {
    this.#at = this.#skipBlanks(this.#at, end);
    if (this.#at >= end) return false;
    if (this.#text[this.#at] === close) return true;
    if (this.#text[this.#at] !== ',') return false;
    this.#at = this.#skipBlanks(this.#at + 1, end);
    return this.#at < end;
  }
}

/** Duplicates are told by `readYaml`. */
function isNew(fields: Readonly<Record<string, Value>>, key: string): boolean {
  return key !== '__proto__' && key !== '<<' && !Object.hasOwn(fields, key);
}
