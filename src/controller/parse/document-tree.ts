import type { Document, Node, Pair, ParsedNode, YAMLMap, YAMLSeq } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { FieldPath } from './field-path.ts';
import { formatPath } from './field-path.ts';
import type { Finding, PlacedFinding } from './finding.ts';
import { placeFinding } from './finding.ts';
import { placeAt } from './place-at.ts';

/** How much aliases may add to a document (a "billion laughs" grows without bound). */
const maxAliasedNodes = 10_000;
const maxAliasedCharacters = 1_000_000;
const maxDepth = 100;

/** Tags that change nothing about what a resource may hold. */
const coreTags = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** What a document says as plain data (what JSON can say), with the way back from a field to its place. */
export interface PlacedValue {
  /** Null where something could not be read. */
  readonly value: unknown;
  /** What the text says that resources cannot hold. */
  readonly findings: readonly PlacedFinding[];
  place(finding: Finding): PlacedFinding;
  /** Place of a field, or of the nearest field around it that is written down. */
  locate(path: FieldPath, on: 'key' | 'value'): { readonly line: number; readonly column: number };
}

/** From the composed tree. It lives only while places are needed: trees are some fifty times the size of their text. */
export class DocumentTree implements PlacedValue {
  readonly value: unknown;
  readonly findings: readonly PlacedFinding[];
  readonly #text: string;
  readonly #root: Node | null;
  readonly #aliased = new Map<Node, Node>();

  constructor(text: string, document: Document.Parsed<ParsedNode>) {
    this.#text = text;
    this.#root = document.contents;
    const reader = new TreeReader(this.#aliased, (path, node, message, hint) => ({
      ...placeAt(text, startOf(node)),
      path: formatPath(path),
      message,
      ...(hint === undefined ? {} : { hint }),
    }));
    this.value = reader.read(this.#root, []);
    this.findings = reader.findings;
  }

  place(finding: Finding): PlacedFinding {
    return placeFinding(finding, this.locate(finding.path, finding.on));
  }

  locate(path: FieldPath, on: 'key' | 'value'): { readonly line: number; readonly column: number } {
    let node: Node | null = this.#root;
    let offset = startOf(node);
    for (const [depth, part] of path.entries()) {
      if (isAlias(node)) node = this.#aliased.get(node) ?? null;
      if (isMap(node)) {
        const pair = node.items.find((candidate) => keyOf(candidate) === part);
        if (pair === undefined) {
          // An item that stood for a list of one: its index is not written down.
          if (part === 0) continue;
          break;
        }
        const isLast = depth === path.length - 1;
        node = (pair.value ?? null) as Node | null;
        offset =
          isLast && on === 'value' && node !== null && !isEmptyAt(node)
            ? startOf(node)
            : startOf(pair.key as Node);
      } else if (isSeq(node) && typeof part === 'number') {
        const item = node.items[part] as Node | undefined;
        if (item === undefined) break;
        node = item;
        offset = startOf(node);
      } else break;
    }
    return placeAt(this.#text, offset);
  }
}

type Report = (path: FieldPath, node: Node | null, message: string, hint?: string) => PlacedFinding;

class TreeReader {
  readonly findings: PlacedFinding[] = [];
  readonly #aliased: Map<Node, Node>;
  readonly #describe: Report;
  readonly #anchors = new Map<string, Node>();
  /** Nodes around the one that is being read: an alias to one of them never ends. */
  readonly #open = new Set<Node>();
  #insideAlias = 0;
  #aliasedNodes = 0;
  #aliasedCharacters = 0;
  #exhausted = false;

  constructor(aliased: Map<Node, Node>, describe: Report) {
    this.#aliased = aliased;
    this.#describe = describe;
  }

  read(node: Node | null, path: FieldPath): unknown {
    if (node === null || this.#exhausted) return null;
    if (path.length > maxDepth) return this.#refuse(path, node, 'nested too deep');
    if (this.#insideAlias > 0 && !this.#afford(node, path)) return null;
    if (isAlias(node)) return this.#readAlias(node.source, node, path);
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag !== undefined && !coreTags.has(node.tag)) {
      return this.#refuse(path, node, `the tag ${node.tag} is not supported`, 'remove the tag');
    }
    this.#open.add(node);
    const value = isMap(node)
      ? this.#readMap(node, path)
      : isSeq(node)
        ? this.#readSequence(node, path)
        : isScalar(node)
          ? this.#readScalar(node.value, node, path)
          : null;
    this.#open.delete(node);
    return value;
  }

  #readAlias(name: string, alias: Node, path: FieldPath): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      const hint = `a text that begins with * needs quotes: "*${name}"`;
      return this.#refuse(path, alias, `there is no anchor &${name} before this alias in the document`, hint);
    }
    if (this.#open.has(target))
      return this.#refuse(path, alias, `the alias *${name} stands inside its own anchor`);
    this.#aliased.set(alias, target);
    this.#insideAlias++;
    const value = this.read(target, path);
    this.#insideAlias--;
    return value;
  }

  #readMap(map: YAMLMap, path: FieldPath): unknown {
    const entries: [string, unknown][] = [];
    const seen = new Set<string>();
    for (const pair of map.items) {
      const key = keyOf(pair);
      const keyNode = pair.key as Node;
      const fieldPath = [...path, key];
      if (seen.has(key)) this.#refuse(fieldPath, keyNode, `duplicate field "${key}"`);
      else if (key === '__proto__') this.#refuse(fieldPath, keyNode, `unknown field "${key}"`);
      else if (key === '<<') {
        this.#refuse(fieldPath, keyNode, 'merge keys are not part of YAML 1.2', 'write the fields out');
      } else if (!isCleanText(key)) {
        this.#refuse(fieldPath, keyNode, 'has a control character in its name');
      } else entries.push([key, this.read((pair.value ?? null) as Node | null, fieldPath)]);
      seen.add(key);
    }
    return Object.fromEntries(entries);
  }

  #readSequence(sequence: YAMLSeq, path: FieldPath): unknown {
    return sequence.items.map((item, i) => this.read(item as Node | null, [...path, i]));
  }

  #readScalar(value: unknown, node: Node, path: FieldPath): unknown {
    if (typeof value === 'string') {
      return isCleanText(value) ? value : this.#refuse(path, node, 'has a control character in its text');
    }
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) return this.#refuse(path, node, 'is not a finite number');
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return this.#refuse(
          path,
          node,
          'is too large a number to be exact',
          'put it in quotes if it is a text',
        );
      }
      return value;
    }
    if (typeof value === 'boolean' || value === null) return value;
    return this.#refuse(path, node, 'is no text, number, boolean, list or mapping');
  }

  #afford(node: Node, path: FieldPath): boolean {
    this.#aliasedNodes++;
    if (isScalar(node) && typeof node.value === 'string') this.#aliasedCharacters += node.value.length;
    if (this.#aliasedNodes <= maxAliasedNodes && this.#aliasedCharacters <= maxAliasedCharacters) return true;
    this.#exhausted = true;
    this.#refuse(path, node, 'aliases make the document too large');
    return false;
  }

  #refuse(path: FieldPath, node: Node | null, message: string, hint?: string): null {
    if (this.findings.length < 100) this.findings.push(this.#describe(path, node, message, hint));
    return null;
  }
}

/** No control characters but tab and line end, and whole characters: a text may end up in a header, a log or a file name. */
function isCleanText(text: string): boolean {
  return !/[\0-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]|\p{Surrogate}/u.test(text);
}

function keyOf(pair: Pair): string {
  // `stringKeys` leaves no other keys than texts.
  return isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : '';
}

function startOf(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** `key:` with nothing behind it: the empty value stands nowhere, the key does. */
function isEmptyAt(node: Node): boolean {
  return (
    isScalar(node) &&
    node.value === null &&
    node.range !== null &&
    node.range !== undefined &&
    node.range[0] === node.range[1]
  );
}
