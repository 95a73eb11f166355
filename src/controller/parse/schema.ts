/**
 * The part of JSON Schema that schemas/ is written in: what a Kubernetes structural schema may hold, and a few words of
 * ours for what it cannot say. Ours are left out of CRDs or become CEL rules there.
 */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  /** Noun phrase for messages: `must be <title>`. On the schema of a kind: the kind. */
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  /** Schema of the values of a map; `false` is written by `closeSchema` only. */
  readonly additionalProperties?: Schema | false;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  /** Fields that no schema names are kept. */
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  /** Every schema of this folder becomes a property, named after its file. */
  readonly 'x-mgateway-compose'?: 'middlewares';
  /** Exactly one of these fields, beside others. Together with `compose`: of the composed ones. */
  readonly 'x-mgateway-one-of'?: readonly string[];
  /** A check of the text, by name (formats.ts). */
  readonly 'x-mgateway-format'?: string;
  /** A single item may stand for a list of one: it is put into a list before anything else looks at it. */
  readonly 'x-mgateway-wrap-one'?: true;
}

/** What schemas/ holds: by kind, and by type of middleware. */
export interface SchemaSet {
  readonly kinds: Readonly<Record<string, Schema>>;
  readonly middlewares: Readonly<Record<string, Schema>>;
}

/** Puts the middlewares where the schema of a kind asks for them. Pure; the result has no `compose` left. */
export function composeSchema(schema: Schema, middlewares: Readonly<Record<string, Schema>>): Schema {
  const { 'x-mgateway-compose': compose, ...rest } = mapChildren(schema, (child) =>
    composeSchema(child, middlewares),
  );
  if (compose === undefined) return rest;
  // A pure union says so by its number of properties; where other fields stand beside it, that must be said by name.
  const oneOf = schema.maxProperties === 1 ? {} : { 'x-mgateway-one-of': Object.keys(middlewares) };
  return { ...rest, ...oneOf, properties: { ...rest.properties, ...middlewares } };
}

/** Refuses unknown fields wherever the schema names fields and does not ask to keep others. Pure. */
export function closeSchema(schema: Schema): Schema {
  const closed = mapChildren(schema, closeSchema);
  const isOpen =
    schema.type !== 'object' ||
    schema.additionalProperties !== undefined ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isOpen ? closed : { ...closed, properties: closed.properties ?? {}, additionalProperties: false };
}

function mapChildren(schema: Schema, change: (child: Schema) => Schema): Schema {
  const { properties, items, additionalProperties } = schema;
  return {
    ...schema,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, child]) => [name, change(child)]),
          ),
        }),
    ...(items === undefined ? {} : { items: change(items) }),
    ...(additionalProperties === undefined || additionalProperties === false
      ? {}
      : { additionalProperties: change(additionalProperties) }),
  };
}
