/** The way to a field: keys and indexes. Printed as `spec.matches[0].headers["a.b"]`. */
export type FieldPath = readonly (string | number)[];

const plainKey = /^[A-Za-z_$][\w$-]*$/;

export function formatPath(path: FieldPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!plainKey.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

const part = /\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/gy;

/** The inverse of `formatPath`. Also takes bare keys with other characters (`set.x/y`), as far as they are clear. */
export function parsePath(text: string): FieldPath {
  const path: (string | number)[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '.') at++;
    part.lastIndex = at;
    const found = part.exec(text);
    // What cannot be read is one key: the place will be that of what was found so far.
    if (found === null) return [...path, text.slice(at)];
    const [whole, index, quoted, key] = found;
    if (index !== undefined) path.push(Number(index));
    else path.push(quoted === undefined ? (key as string) : (JSON.parse(quoted) as string));
    at += whole.length;
  }
  return path;
}
