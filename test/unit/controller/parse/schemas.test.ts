import { expect } from 'chai';
import { formats } from '../../../../src/controller/parse/formats.ts';
import { loadSchemas } from '../../../../src/controller/parse/load-schemas.ts';
import type { Schema } from '../../../../src/controller/parse/schema.ts';
import { compileValidator } from '../../../../src/controller/parse/validator.ts';
import { middlewareDefinitions } from '../../../../src/middleware/registry.ts';
import { resourceKinds } from '../../../../src/resources/kinds.ts';
import { compileRegex } from '../../../../src/routing/regex.ts';

const allowed = new Set([
  ...[
    'type',
    'title',
    'description',
    'default',
    'enum',
    'required',
    'properties',
    'additionalProperties',
    'items',
  ],
  ...[
    'pattern',
    'minLength',
    'maxLength',
    'minimum',
    'maximum',
    'minItems',
    'maxItems',
    'minProperties',
    'maxProperties',
  ],
  ...[
    'x-kubernetes-preserve-unknown-fields',
    'x-mgateway-one-of',
    'x-mgateway-format',
    'x-mgateway-wrap-one',
  ],
]);

describe('schemas/', () => {
  const { kinds, middlewares } = loadSchemas();

  it('has a schema for each kind and for each middleware, and a middleware for each schema', () => {
    expect(Object.keys(kinds).sort()).to.deep.equal([...resourceKinds].sort());
    const types = middlewareDefinitions.map(({ type }) => type);
    expect(Object.keys(middlewares)).to.include.members(types);
  });

  it('stays within a Kubernetes structural schema', () => {
    visit(kinds, (schema, path) => {
      const unknown = Object.keys(schema).filter((word) => !allowed.has(word));
      expect(unknown, path).to.deep.equal([]);
      expect(typeof schema.type, path).to.equal('string');
      expect(schema.additionalProperties !== undefined && schema.properties !== undefined, path).to.equal(
        false,
      );
      for (const name of schema.required ?? []) expect(schema.properties, path).to.have.property(name);
      for (const name of schema['x-mgateway-one-of'] ?? [])
        expect(schema.properties, path).to.have.property(name);
      for (const word of schema.enum ?? []) {
        // What others have named keeps its name: versions, algorithms, true.
        if (!/apiVersion|algorithms|present/.test(path)) expect(word, path).to.match(/^[A-Z][A-Za-z0-9]*$/);
      }
    });
  });

  it('bounds every list, map and text', () => {
    visit(kinds, (schema, path) => {
      if (schema.type === 'array') expect(schema.maxItems, path).to.be.a('number');
      if (schema.additionalProperties !== undefined) expect(schema.maxProperties, path).to.be.a('number');
      if (schema.type === 'string' && schema.enum === undefined)
        expect(schema.maxLength, path).to.be.a('number');
      if (schema.type === 'integer') expect([schema.minimum, schema.maximum], path).not.to.include(undefined);
    });
  });

  it('describes every field, says what its patterns mean, and names only formats that there are', () => {
    visit(kinds, (schema, path) => {
      expect(schema.description, path).to.match(/\S.*\.$/s);
      if (schema.pattern !== undefined) {
        expect(schema.title, path).to.match(/^an? |^the /);
        // RE2 and ECMAScript read it alike.
        expect(
          () => [new RegExp(schema.pattern ?? '', 'u'), compileRegex(schema.pattern ?? '')],
          path,
        ).not.to.throw();
      }
      if (schema['x-mgateway-format'] !== undefined)
        expect(formats, path).to.have.property(schema['x-mgateway-format']);
    });
  });

  it('has defaults that are valid themselves', () => {
    visit(kinds, (schema, path) => {
      if (schema.default === undefined) return;
      const { findings } = compileValidator(schema)(structuredClone(schema.default));
      expect(findings, path).to.deep.equal([]);
    });
  });
});

function visit(kinds: Readonly<Record<string, Schema>>, look: (schema: Schema, path: string) => void): void {
  const walk = (schema: Schema, path: string): void => {
    look(schema, path);
    for (const [name, child] of Object.entries(schema.properties ?? {})) walk(child, `${path}.${name}`);
    if (schema.items !== undefined) walk(schema.items, `${path}[]`);
    if (schema.additionalProperties) walk(schema.additionalProperties, `${path}.*`);
  };
  for (const [kind, schema] of Object.entries(kinds)) walk(schema, kind);
}
