/** Edits of a raw query string: what is not touched stays byte for byte, in its place, duplicates included. */

/** Carried out in this order: remove, rename, set, add. Names are compared decoded and with regard to case. */
export interface QueryEdits {
  readonly remove?: readonly string[];
  /** From → to. Every parameter called `from` gets the new name; those that had it before go, if there is one to rename. */
  readonly rename?: Readonly<Record<string, string>>;
  /** One parameter with this value, whatever was there. */
  readonly set?: Readonly<Record<string, string>>;
  /** One more parameter; those of the same name stay. */
  readonly add?: Readonly<Record<string, string>>;
}

interface Pair {
  readonly name: string;
  /** As it stands in the query. */
  readonly raw: string;
}

/** Compiles the edits once; the result takes and gives a raw query without `?`. */
export function compileQueryEdits(edits: QueryEdits): (query: string) => string {
  const remove = new Set(edits.remove ?? []);
  const rename = Object.entries(edits.rename ?? {});
  const set = Object.entries(edits.set ?? {}).map(([name, value]) => pairOf(name, value));
  const add = Object.entries(edits.add ?? {}).map(([name, value]) => pairOf(name, value));
  const added = add.map(({ raw }) => raw).join('&');
  const onlyAdds = remove.size === 0 && rename.length === 0 && set.length === 0;

  return (query) => {
    if (query === '' || onlyAdds)
      return joined(query, query === '' ? joined(set.map(({ raw }) => raw).join('&'), added) : added);
    let pairs = split(query).filter(({ name }) => !remove.has(name));
    for (const [from, to] of rename) {
      if (!pairs.some(({ name }) => name === from)) continue;
      pairs = pairs
        .filter(({ name }) => name !== to)
        .map((pair) =>
          pair.name === from ? { name: to, raw: `${encode(to)}${valuePart(pair.raw)}` } : pair,
        );
    }
    for (const pair of set) {
      const first = pairs.findIndex(({ name }) => name === pair.name);
      pairs = pairs.filter(({ name }, i) => i === first || name !== pair.name);
      if (first < 0) pairs.push(pair);
      else pairs[first] = pair;
    }
    return joined(pairs.map(({ raw }) => raw).join('&'), added);
  };
}

function split(query: string): Pair[] {
  return query.split('&').map((raw) => {
    const equals = raw.indexOf('=');
    return { name: decode(equals < 0 ? raw : raw.slice(0, equals)), raw };
  });
}

/** `=value`, or nothing. */
function valuePart(raw: string): string {
  const equals = raw.indexOf('=');
  return equals < 0 ? '' : raw.slice(equals);
}

function pairOf(name: string, value: string): Pair {
  return { name, raw: `${encode(name)}=${encode(value)}` };
}

// Through UTF-8, since a lone surrogate would throw.
function encode(text: string): string {
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
}

/** A name as a server reads it (application/x-www-form-urlencoded); what is no valid encoding is left as it is. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function joined(left: string, right: string): string {
  return left === '' || right === '' ? left + right : `${left}&${right}`;
}
