/**
 * Types of resources as the parser gives them: validated, so a field with a default is always there.
 * @param {import('../../src/controller/parse/schema.ts').SchemaSet} schemas
 */
export function renderTypes({ kinds, middlewares }) {
  const order = ['Gateway', 'Route', 'Upstream', 'Middleware', 'RouteTest', 'Guard'];
  const names = Object.keys(kinds).sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const configNames = new Map(Object.keys(middlewares).map((type) => [type, `${capital(type)}Config`]));

  const configs = Object.entries(middlewares).map(([type, schema]) =>
    declaration(configNames.get(type), schema, configNames, ''),
  );
  const resources = names.flatMap((kind) => {
    const spec = kinds[kind].properties.spec;
    return [
      declaration(`${kind}Spec`, spec, configNames, ''),
      [
        comment(kinds[kind].description, ''),
        `export interface ${kind}Resource {`,
        `  readonly apiVersion: 'mgateway.dev/v1alpha1';`,
        `  readonly kind: '${kind}';`,
        '  readonly metadata: ResourceMetadata;',
        `  readonly spec: ${kind}Spec;`,
        '}',
      ].join('\n'),
    ];
  });
  const metadata = declaration('ResourceMetadata', kinds[names[0]].properties.metadata, configNames, '');
  return [
    '// Generated from schemas/ by scripts/generate.mjs. Do not edit.',
    metadata,
    ...configs,
    ...resources,
    `export type Resource = ${names.map((kind) => `${kind}Resource`).join(' | ')};`,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function declaration(name, schema, configNames, indent) {
  return `${comment(schema.description, indent)}\nexport interface ${name} ${body(schema, configNames, indent)}`;
}

/** `{ … }` of an object schema. */
function body(schema, configNames, indent) {
  const inner = `${indent}  `;
  const lines = ['{'];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const isThere = (schema.required ?? []).includes(name) || field.default !== undefined;
    // Composed middlewares have their own declarations; the same schema stands wherever they can be written.
    const isConfig = configNames.has(name) && field.type === 'object';
    const type = isConfig ? configNames.get(name) : typeOf(field, configNames, inner);
    if (field.description) lines.push(comment(field.description, inner, field.default));
    lines.push(`${inner}readonly ${name}${isThere ? '' : '?'}: ${type};`);
  }
  if (schema['x-kubernetes-preserve-unknown-fields'])
    lines.push(`${inner}readonly [field: string]: unknown;`);
  lines.push(`${indent}}`);
  return lines.join('\n');
}

function typeOf(schema, configNames, indent) {
  switch (schema.type) {
    case 'object':
      if (schema.additionalProperties) {
        return `Readonly<Record<string, ${typeOf(schema.additionalProperties, configNames, indent)}>>`;
      }
      if (!schema.properties || Object.keys(schema.properties).length === 0) {
        return `Readonly<Record<string, ${schema['x-kubernetes-preserve-unknown-fields'] ? 'unknown' : 'never'}>>`;
      }
      return body(schema, configNames, indent);
    case 'array': {
      const item = typeOf(schema.items, configNames, indent);
      return item.includes('|') && !item.includes('{') ? `readonly (${item})[]` : `readonly ${item}[]`;
    }
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return schema.enum?.length === 1 ? String(schema.enum[0]) : 'boolean';
    default:
      return schema.enum ? schema.enum.map((value) => `'${value}'`).join(' | ') : 'string';
  }
}

function comment(text, indent, value) {
  const suffix = value === undefined ? '' : ` Default: \`${JSON.stringify(value)}\`.`;
  return `${indent}/** ${text}${suffix} */`;
}

function capital(word) {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
