import { readFileSync, readdirSync } from 'node:fs';
import type { Schema, SchemaSet } from './schema.ts';
import { composeSchema } from './schema.ts';

/** schemas/ as it stands in the source tree and in the package: both have it three folders up. */
const packaged = new URL('../../../schemas/', import.meta.url);

/** Reads schemas/ and composes the kinds; small files, read once at start. */
export function loadSchemas(folder: URL = packaged): SchemaSet {
  const middlewares = readFolder(new URL('middlewares/', folder));
  const kinds = Object.fromEntries(
    Object.values(readFolder(folder)).map((schema) => [
      schema.title as string,
      composeSchema(schema, middlewares),
    ]),
  );
  return { kinds, middlewares };
}

function readFolder(folder: URL): Record<string, Schema> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => [
        name.slice(0, -'.json'.length),
        JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Schema,
      ]),
  );
}
