import { loadSchemas } from '../controller/parse/load-schemas.ts';
import { publishAnyKind, publishSchema } from '../controller/parse/published-schema.ts';
import { suggest } from '../controller/parse/suggest.ts';
import type { ProgramIo } from './program-io.ts';

/**
 * `mgateway schema [KIND]`: the JSON Schema of a kind, or of all, as it is in the package under dist/schemas/. Exit code 0, or 2
 * for a kind that there is not.
 */
export function runSchema(kind: string | undefined, io: Pick<ProgramIo, 'stdout' | 'stderr'>): number {
  const schemas = loadSchemas();
  const names = Object.keys(schemas.kinds);
  const name = names.find((each) => each.toLowerCase() === kind?.toLowerCase());
  const schema = name === undefined ? undefined : schemas.kinds[name];
  if (kind !== undefined && schema === undefined) {
    const meant = suggest(kind, names);
    const hint = meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean ${meant}?`;
    io.stderr.write(`schema: there is no kind called ${kind}. ${hint}\n`);
    return 2;
  }
  const published = schema === undefined ? publishAnyKind(schemas) : publishSchema(schema);
  io.stdout.write(`${JSON.stringify(published, undefined, 2)}\n`);
  return 0;
}
