import type { ErrorObject } from 'ajv';
import type { FieldPath } from './field-path.ts';
import type { Finding } from './finding.ts';
import type { Schema } from './schema.ts';
import { suggest } from './suggest.ts';

/** An error of ajv in the words of whoever wrote the resource. `root` is the value that was validated. */
export function describeError(error: ErrorObject, root: unknown): Finding {
  const path = toFieldPath(error.instancePath, root);
  const params = error.params as Readonly<Record<string, unknown>>;
  const schema = error.parentSchema as Schema;
  const here = (message: string, hint?: string): Finding => ({
    path,
    on: 'value',
    message,
    ...(hint === undefined ? {} : { hint }),
  });

  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(path, params['additionalProperty'] as string, error.data as object, schema);
    case 'required': {
      const name = params['missingProperty'] as string;
      // Shown at the key of the object that lacks it.
      return { path: [...path, name], on: 'key', message: `missing field "${name}"` };
    }
    case 'type':
      if (schema.title !== undefined && typeof error.data !== 'object') {
        return here(`must be ${schema.title}, not ${show(error.data)}`, unitHint(schema.title, error.data));
      }
      return here(
        `must be ${kindOf(schema.type)}, ${butIs(error.data, schema.type)}`,
        typeHint(schema, error.data),
      );
    case 'enum':
      return here(
        `must be ${oneOf(schema.enum ?? [])}, not ${show(error.data)}`,
        enumHint(schema, error.data),
      );
    case 'pattern':
      return here(
        `must be ${schema.title ?? `like ${schema.pattern ?? ''}`}, not ${show(error.data)}`,
        respelled(schema, error.data as string),
      );
    case 'minLength':
      return here('must not be empty');
    case 'maxLength':
      return here(`must have at most ${schema.maxLength} characters, has ${(error.data as string).length}`);
    case 'minimum':
    case 'maximum':
      return here(`must be ${range(schema)}, not ${show(error.data)}`);
    case 'minItems':
      return here(
        schema.minItems === 1 ? 'must not be empty' : `must have at least ${schema.minItems} items`,
      );
    case 'maxItems':
      return here(`must have at most ${schema.maxItems} items, has ${(error.data as unknown[]).length}`);
    case 'minProperties':
    case 'maxProperties':
      return schema.maxProperties === 1 && schema.properties !== undefined
        ? here(exactlyOne(Object.keys(schema.properties), error.data as object))
        : here(`must have at most ${schema.maxProperties} entries`);
    case 'x-mgateway-one-of':
      return here(exactlyOne(schema['x-mgateway-one-of'] ?? [], error.data as object));
    case 'x-mgateway-format':
      return here(error.message ?? 'is not valid', params['hint'] as string | undefined);
    default:
      return here(error.message ?? 'is not valid');
  }
}

function unknownField(path: FieldPath, name: string, written: object, schema: Schema): Finding {
  const known = Object.keys(schema.properties ?? {});
  // A field that is there already was not meant.
  const meant = suggest(
    name,
    known.filter(
      (candidate) =>
        !Object.hasOwn(written, candidate) || schema.properties?.[candidate]?.default !== undefined,
    ),
  );
  const hint =
    meant !== undefined
      ? `did you mean "${meant}"?`
      : known.length > 0
        ? `possible: ${known.join(', ')}`
        : 'no fields are possible here';
  return { path: [...path, name], on: 'key', message: `unknown field "${name}"`, hint };
}

function exactlyOne(names: readonly string[], written: object): string {
  const found = names.filter((name) => Object.hasOwn(written, name));
  const has = found.length === 0 ? 'has none' : `has ${found.join(' and ')}`;
  return `must have exactly one of ${names.join(', ')}; ${has}`;
}

function enumHint(schema: Schema, value: unknown): string | undefined {
  if (typeof value !== 'string' || (schema.enum ?? []).length < 2) return undefined;
  const meant = suggest(value, (schema.enum ?? []).map(String));
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}

/** A number where a text with a unit belongs, or a name that YAML reads as a number. */
function unitHint(title: string, value: unknown): string | undefined {
  if (typeof value !== 'number' || value === 0) return `put it in quotes: "${String(value)}"`;
  if (title.startsWith('a duration')) return `write a unit: ${value}s, ${value}ms`;
  if (title.startsWith('a size'))
    return `write a unit: ${value}KiB, ${value}MiB, or bytes in quotes: "${value}"`;
  return `put it in quotes: "${value}"`;
}

/** Only the case or the blanks are wrong. */
function respelled({ pattern }: Schema, text: string): string | undefined {
  if (pattern === undefined || text.length > 64) return undefined;
  const meant = [text.toUpperCase(), text.toLowerCase().replaceAll(/[_\s]+/g, '-')].find((candidate) =>
    new RegExp(pattern, 'u').test(candidate),
  );
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}

function typeHint({ type, properties }: Schema, value: unknown): string | undefined {
  if (value === null) return 'give it a value or remove the field';
  if (type === 'object' && properties !== undefined)
    return `its fields: ${Object.keys(properties).join(', ')}`;
  if (type === 'string' && typeof value !== 'object') return `put it in quotes: "${show(value)}"`;
  if ((type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d+$/.test(value)) {
    return `write ${value} without quotes`;
  }
  if (type === 'boolean' && typeof value === 'string') {
    if (/^(?:true|yes|on)$/i.test(value)) return 'write true without quotes';
    if (/^(?:false|no|off)$/i.test(value)) return 'write false without quotes';
  }
  return type === 'array' ? 'write it as a list: [ … ], or one item a line after "- "' : undefined;
}

function kindOf(type: Schema['type']): string {
  switch (type) {
    case 'object':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'string':
      return 'a text';
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
  }
}

function butIs(value: unknown, type: Schema['type']): string {
  // Not shown: it may be a secret, written where a reference to it belongs.
  if (type === 'object' && typeof value === 'string') return 'not a text';
  if (value === null) return 'but is empty';
  if (Array.isArray(value)) return 'not a list';
  if (typeof value === 'object') return 'not a mapping';
  return `not ${typeof value === 'string' ? `the text ${show(value)}` : show(value)}`;
}

function oneOf(values: readonly unknown[]): string {
  return values.length === 1 ? show(values[0]) : `one of ${values.map((value) => String(value)).join(', ')}`;
}

function range({ minimum, maximum }: Schema): string {
  if (minimum === undefined) return `at most ${maximum}`;
  return maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
}

/** As it was written, but never long: a text may be a key that was put in the wrong place. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** JSON pointer → keys and indexes; only the value tells a key `0` from an index. */
function toFieldPath(pointer: string, root: unknown): FieldPath {
  let value = root;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const isIndex = Array.isArray(value);
      value = (value as Readonly<Record<string, unknown>> | undefined)?.[key];
      return isIndex ? Number(key) : key;
    });
}
