import { wellFormed } from './well-formed.ts';

/**
 * Editing and reading of a raw query (`a=1&b`), without `?`. Parameters that are not concerned stay as they are, byte
 * for byte and in order. Names are compared decoded (`%XX` and `+`, WHATWG URL §5.1), so that `%61=1` cannot slip past
 * an edit of `a`. Nothing here throws, whatever a client sends: broken escapes stand for themselves.
 */

/** The first value of a parameter, decoded; '' for one without `=`; undefined: absent. */
export function queryParameter(query: string, name: string): string | undefined {
  for (let start = 0; start < query.length;) {
    const end = endOf(query, start);
    const equals = nameEnd(query, start, end);
    if (isNamed(query, start, equals, name))
      return equals < end ? decodeQueryText(query.slice(equals + 1, end)) : '';
    start = end + 1;
  }
  return undefined;
}

/** One parameter of this name: the first keeps its place, further ones go. */
export function setQueryParameter(query: string, name: string, value: string): string {
  const pair = encodePair(name, value);
  let isSet = false;
  const edited = edit(query, name, () => {
    if (isSet) return undefined;
    isSet = true;
    return pair;
  });
  return isSet ? edited : append(query, pair);
}

/** A further parameter behind the others. */
export function addQueryParameter(query: string, name: string, value: string): string {
  return append(query, encodePair(name, value));
}

/** Without all parameters of this name. */
export function removeQueryParameter(query: string, name: string): string {
  return edit(query, name, () => undefined);
}

/** All parameters called `from` are called `to`; values stay byte for byte. */
export function renameQueryParameter(query: string, from: string, to: string): string {
  const name = encodeQueryText(to);
  return edit(query, from, (pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? name : name + pair.slice(equals);
  });
}

/** `%XX` and `+` decoded as UTF-8; a text whose escapes are broken stands for itself. */
export function decodeQueryText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

/** As `encodeURIComponent`, and half surrogate pairs as U+FFFD instead of an exception. */
function encodeQueryText(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

function encodePair(name: string, value: string): string {
  return encodeQueryText(name) + '=' + encodeQueryText(value);
}

function append(query: string, pair: string): string {
  return query === '' ? pair : query + '&' + pair;
}

/** Replaces each parameter of this name by what `change` says; undefined: it goes with its `&`. */
function edit(query: string, name: string, change: (pair: string) => string | undefined): string {
  let kept: string[] | undefined;
  for (let start = 0, index = 0; start < query.length; index++) {
    const end = endOf(query, start);
    if (isNamed(query, start, nameEnd(query, start, end), name)) {
      kept ??= query.slice(0, Math.max(0, start - 1)).split('&', index);
      const changed = change(query.slice(start, end));
      if (changed !== undefined) kept.push(changed);
    } else kept?.push(query.slice(start, end));
    start = end + 1;
  }
  if (kept === undefined) return query;
  return query.endsWith('&') ? kept.join('&') + '&' : kept.join('&');
}

function endOf(query: string, start: number): number {
  const end = query.indexOf('&', start);
  return end < 0 ? query.length : end;
}

function nameEnd(query: string, start: number, end: number): number {
  const equals = query.indexOf('=', start);
  return equals < 0 || equals > end ? end : equals;
}

function isNamed(query: string, start: number, end: number, name: string): boolean {
  // An empty piece between two `&` is no parameter.
  if (start === end && query[end] !== '=') return false;
  if (end - start === name.length && query.startsWith(name, start)) return true;
  if (end - start < name.length) return false;
  const written = query.slice(start, end);
  return (written.includes('%') || written.includes('+')) && decodeQueryText(written) === name;
}
