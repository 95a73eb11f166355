/** What `requestHeaders` and `responseHeaders` have in common: a few edits of a header list in a fixed order. */
import { fromFieldValue, toFieldValue } from '../routing/field-value.ts';
import type { HeaderList } from '../routing/header-list.ts';
import type { ConfigProblem } from './contract.ts';
import { compileStrip } from './field-spellings.ts';
import { isFieldName, isFieldValue } from './field-text.ts';
import { framingFields } from './framing-fields.ts';

/** Carried out in this order: remove, rename, set, add. Names are compared without regard to case. */
export interface HeaderEdits {
  readonly remove?: readonly string[];
  /** From → to. Every field called `from` gets the new name; fields that had it before go, if there is one to rename. */
  readonly rename?: Readonly<Record<string, string>>;
  /** One field with this value, whatever was there. */
  readonly set?: Readonly<Record<string, string>>;
  /** One more field; those of the same name stay. */
  readonly add?: Readonly<Record<string, string>>;
}

/**
 * Finds names and values that cannot be sent, fields that are not for users to change, and renames whose result would
 * depend on their order. `onlySet`: fields that may be replaced but not go (`host`).
 */
export function checkHeaderEdits(edits: HeaderEdits, onlySet: ReadonlySet<string>): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const checkName = (path: string, name: string, isSet: boolean): void => {
    const lower = name.toLowerCase();
    if (!isFieldName(name)) problems.push({ path, message: `"${name}" is not a header name` });
    else if (framingFields.has(lower)) {
      problems.push({ path, message: `${lower} belongs to the connection and cannot be changed` });
    } else if (!isSet && onlySet.has(lower)) {
      problems.push({ path, message: `${lower} can be set, but not removed, renamed or added` });
    }
  };
  const checkTwice = (block: string, names: readonly string[]): void => {
    const seen = new Set<string>();
    for (const name of names) {
      const lower = name.toLowerCase();
      if (seen.has(lower)) problems.push({ path: block, message: `${lower} is named twice` });
      seen.add(lower);
    }
  };

  (edits.remove ?? []).forEach((name, i) => checkName(`remove[${i}]`, name, false));
  const renames = Object.entries(edits.rename ?? {});
  const sources = new Set(renames.map(([from]) => from.toLowerCase()));
  for (const [from, to] of renames) {
    checkName(`rename.${from}`, from, false);
    checkName(`rename.${from}`, to, false);
    if (sources.has(to.toLowerCase())) {
      problems.push({
        path: `rename.${from}`,
        message: `${to} is renamed itself, so the result would depend on the order`,
      });
    }
  }
  checkTwice(
    'rename',
    renames.map(([from]) => from),
  );
  checkTwice(
    'rename',
    renames.map(([, to]) => to),
  );
  for (const block of ['set', 'add'] as const) {
    const values = Object.entries(edits[block] ?? {});
    checkTwice(
      block,
      values.map(([name]) => name),
    );
    for (const [name, value] of values) {
      checkName(`${block}.${name}`, name, block === 'set');
      if (!isFieldValue(value)) {
        problems.push({
          path: `${block}.${name}`,
          message: 'a header value has no line breaks, control characters or blanks around it',
        });
      }
    }
  }
  return problems;
}

/** Edits as they are carried out; there may be thousands, so that what is not asked for costs nothing. */
export class HeaderEditor {
  /** In lower case. */
  private readonly remove: readonly string[];
  private readonly rename: readonly Rename[];
  /** Name, value, … */
  private readonly set: readonly string[];
  private readonly add: readonly string[];
  /** One of the names has one. */
  private readonly underscores: boolean;

  constructor({ remove = nothing, rename = {}, set = {}, add = {} }: HeaderEdits) {
    this.remove = listOf(remove.map((name) => name.toLowerCase()));
    this.rename = listOf(Object.entries(rename).map(renameOf));
    this.set = listOf(Object.entries(set).flatMap(fieldOf));
    this.add = listOf(Object.entries(add).flatMap(fieldOf));
    this.underscores = this.decidedNames().some((name) => name.includes('_'));
  }

  apply(headers: HeaderList): void {
    for (const name of this.remove) headers.remove(name);
    for (const { from, to, toLower } of this.rename) {
      if (!headers.has(from)) continue;
      // A client that sends the target itself must not be able to stand beside the renamed field.
      headers.remove(toLower);
      headers.rename(from, to);
    }
    const { set, add } = this;
    for (let i = 0; i < set.length; i += 2) headers.set(set[i] as string, set[i + 1] as string);
    for (let i = 0; i < add.length; i += 2) headers.add(add[i] as string, add[i + 1] as string);
  }

  /**
   * Removes what only looks like a field that the edits decide about: `x_gateway` of a client must not stand beside
   * `x-gateway`, for an upstream could believe either. Few clients send such a name, so nothing is kept for it.
   */
  stripLookalikes(headers: HeaderList): void {
    if (!this.underscores && !hasUnderscore(headers)) return;
    const names = this.decidedNames();
    compileStrip(names, new Set(names))(headers);
  }

  /** Removes all that may be taken for a field that the edits decide about, from what comes beside a head. */
  strip(fields: HeaderList): void {
    compileStrip(this.decidedNames())(fields);
  }

  /** What it does, in words and in its order. */
  describe(): readonly string[] {
    return [
      ...this.remove.map((name) => `removes ${name}`),
      ...this.rename.map(({ from, to }) => `renames ${from} to ${to}`),
      ...pairsOf(this.set).map(([name, value]) => `sets ${name}: ${fromFieldValue(value)}`),
      ...pairsOf(this.add).map(([name, value]) => `adds ${name}: ${fromFieldValue(value)}`),
    ];
  }

  /** In lower case: of all fields but those that are only added to. */
  private decidedNames(): readonly string[] {
    return [
      ...this.remove,
      ...this.rename.flatMap(({ from, toLower }) => [from, toLower]),
      ...pairsOf(this.set).map(([name]) => name.toLowerCase()),
    ];
  }
}

interface Rename {
  readonly from: string;
  readonly to: string;
  readonly toLower: string;
}

const nothing: readonly never[] = [];

function hasUnderscore({ raw }: HeaderList): boolean {
  for (let i = 0; i < raw.length; i += 2) if ((raw[i] as string).includes('_')) return true;
  return false;
}

function renameOf([from, to]: readonly [string, string]): Rename {
  return { from: from.toLowerCase(), to, toLower: to.toLowerCase() };
}

function fieldOf([name, value]: readonly [string, string]): readonly string[] {
  return [name, toFieldValue(value)];
}

function pairsOf(fields: readonly string[]): readonly (readonly [name: string, value: string])[] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] as string, fields[i + 1] as string]);
  return pairs;
}

/** The one empty list, or a copy without the room that lists filled one by one have. */
function listOf<T>(made: readonly T[]): readonly T[] {
  return made.length === 0 ? nothing : made.slice();
}
