/**
 * docs/configuration.md: every field of every kind.
 * @param {import('../../src/controller/parse/schema.ts').SchemaSet} schemas
 */
export function renderReference({ kinds, middlewares }) {
  const names = ['Gateway', 'Route', 'Upstream', 'Middleware', 'RouteTest', 'Guard'].filter(
    (kind) => kinds[kind],
  );
  const types = Object.keys(middlewares);
  return [
    '<!-- Generated from schemas/ by scripts/generate.mjs. Do not edit. -->',
    '# Configuration reference',
    preamble,
    ...names.flatMap((kind) => [
      `## ${kind}`,
      kinds[kind].description,
      table(kinds[kind].properties.spec, 'spec', types),
    ]),
    '## Middlewares',
    'Written inline in `spec.middlewares` of a Route or a Gateway, or under `spec` of a Middleware.',
    ...types.flatMap((type) => [
      `### ${type}`,
      middlewares[type].description,
      table(middlewares[type], type, []),
    ]),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

const preamble = `Every document has \`apiVersion: mgateway.dev/v1alpha1\`, \`kind\`, \`metadata\` (\`name\`, and \`namespace\` if it is not \`default\`) and
\`spec\`. A file may hold several documents parted by \`---\`, or a \`kind: List\` with \`items\`. Files are YAML 1.2 (core schema)
or JSON in UTF-8. Unknown fields are errors; nothing is converted: \`port: "8080"\` is a text and no number. Tags, merge keys
(\`<<\`) and duplicate fields are refused; anchors and aliases work inside one document.

- A **duration** is a text such as \`250ms\`, \`3s\`, \`1m30s\`, \`1h\` (at most 399h), or \`0\` in quotes where a limit can be switched off.
- A **size** is a text such as \`64KiB\`, \`10MiB\`, or bytes in quotes (\`"512"\`).
- Fields marked with * must be given. Where a list "may be written without the list", one item may stand for a list of one.
- Regular expressions are RE2 and match the whole text.`;

function table(schema, prefix, composed) {
  const lines = ['| Field | Type | Default | Meaning |', '|---|---|---|---|'];
  addRows(lines, schema, prefix, composed);
  return lines.join('\n');
}

function addRows(lines, schema, path, composed) {
  const required = new Set(schema.required ?? []);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const own = `${path}.${name}`;
    if (composed.includes(name) && field.type === 'object') continue;
    lines.push(row(`\`${own}\`${required.has(name) ? '\\*' : ''}`, field));
    addBelow(lines, field, own, composed);
  }
  if (composed.length > 0 && Object.keys(schema.properties ?? {}).includes(composed[0])) {
    const links = composed.map((type) => `[${type}](#${type.toLowerCase()})`).join(', ');
    lines.push(`| \`${path}.<type>\` | mapping | | One of ${links}. |`);
  }
}

function addBelow(lines, field, path, composed) {
  if (field.type === 'array') {
    if (field.items.type === 'object') addRows(lines, field.items, `${path}[]`, composed);
  } else if (field.additionalProperties) {
    if (field.additionalProperties.type === 'object')
      addRows(lines, field.additionalProperties, `${path}.<key>`, composed);
  } else if (field.type === 'object') addRows(lines, field, path, composed);
}

function row(name, field) {
  const value = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
  const notes = [field.description, rule(field)].filter(Boolean).join(' ');
  return `| ${[name, typeName(field), value, notes].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function rule(field) {
  const schema = field.type === 'array' ? field.items : field;
  const oneOf =
    schema['x-mgateway-one-of'] ??
    (schema.maxProperties === 1 &&
    schema.properties &&
    !field['x-mgateway-wrap-one'] &&
    Object.keys(schema.properties).length < 8
      ? Object.keys(schema.properties)
      : undefined);
  return oneOf ? `Exactly one of ${oneOf.map((name) => `\`${name}\``).join(', ')}.` : '';
}

function typeName(field) {
  if (field.enum && field.type === 'string')
    return field.enum
      .map((value) => `\`${value}\``)
      .join(' \\| ')
      .replaceAll('\\|', '|');
  switch (field.type) {
    case 'array':
      return `list of ${plural(field.items)}`;
    case 'object':
      return field.additionalProperties ? `map of ${plural(field.additionalProperties)}` : 'mapping';
    case 'integer':
      return field.minimum !== undefined && field.maximum !== undefined
        ? `integer, ${field.minimum} to ${field.maximum}`
        : 'integer';
    case 'string':
      return field.title?.startsWith('a duration')
        ? 'duration'
        : field.title?.startsWith('a size')
          ? 'size'
          : 'text';
    default:
      return field.type;
  }
}

function plural(schema) {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  return { object: 'mappings', string: 'texts', integer: 'integers' }[schema.type] ?? schema.type;
}
