import type { Schema } from './schema.ts';

/** Puts single items into lists of one where a schema takes them (`x-mgateway-wrap-one`). Returns a value, changes none. */
export type Wrap = (value: unknown) => unknown;

/** Compiled once: parts of the schema without such a list are not looked at again. */
export function compileWrap(schema: Schema): Wrap | undefined {
  const wrapItems = schema.items === undefined ? undefined : compileWrap(schema.items);
  const isWrapped = schema['x-mgateway-wrap-one'] === true;
  if (schema.type === 'array') {
    if (!isWrapped && wrapItems === undefined) return undefined;
    return (value) => {
      const list: unknown = isWrapped && isObject(value) ? [value] : value;
      return Array.isArray(list) && wrapItems !== undefined ? list.map(wrapItems) : list;
    };
  }
  const wrapField = new Map<string, Wrap>();
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const wrap = compileWrap(child);
    if (wrap !== undefined) wrapField.set(name, wrap);
  }
  if (wrapField.size === 0) return undefined;
  return (value) => {
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, wrapField.get(name)?.(field) ?? field]),
    );
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
