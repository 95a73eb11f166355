import type { Schema, SchemaSet } from './schema.ts';
import { closeSchema } from './schema.ts';

/** JSON Schema draft-07, as editors and other validators read it: nothing of ours is left in it. */
export type PublishedSchema = Readonly<Record<string, unknown>>;

const draft = 'http://json-schema.org/draft-07/schema#';

/** The schema of one kind, complete: middlewares in their places, unknown fields refused. */
export function publishSchema(schema: Schema): PublishedSchema {
  return { $schema: draft, ...translate(closeSchema(schema)) };
}

/** One schema for documents of every kind: `kind` decides. */
export function publishAnyKind({ kinds }: SchemaSet): PublishedSchema {
  const names = Object.keys(kinds);
  return {
    $schema: draft,
    title: 'A resource of mgateway',
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: {
      apiVersion: { type: 'string', description: 'Version of the shape.' },
      kind: { type: 'string', description: 'What the document describes.', enum: [...names, 'List'] },
    },
    allOf: Object.entries(kinds).map(([kind, schema]) => ({
      if: { properties: { kind: { const: kind } }, required: ['kind'] },
      then: translate(closeSchema(schema)),
    })),
  };
}

function translate(schema: Schema): PublishedSchema {
  const { properties, items, additionalProperties, ...rest } = schema;
  const words = Object.entries(rest).filter(([word]) => !word.startsWith('x-'));
  const oneOf = schema['x-mgateway-one-of'];
  const own: PublishedSchema = {
    ...Object.fromEntries(words),
    ...(oneOf !== undefined && { oneOf: oneOf.map((name) => ({ required: [name] })) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, translate(child)]),
      ),
    }),
    ...(items !== undefined && { items: translate(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: additionalProperties === false ? false : translate(additionalProperties),
    }),
  };
  if (schema['x-mgateway-wrap-one'] !== true || items === undefined) return own;
  const { description, ...list } = own;
  return { description, anyOf: [list, translate(items)] };
}
