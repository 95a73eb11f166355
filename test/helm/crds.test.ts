import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { expect } from 'chai';
import { parse } from 'yaml';
import { closeSchema } from '../../src/controller/parse/schema.ts';
import type { Schema } from '../../src/controller/parse/schema.ts';
import { loadSchemas } from '../../src/controller/parse/load-schemas.ts';
import { projectRoot } from '../support/program.ts';
import { objectsOf, valuesFiles } from './support/chart.ts';
import { needFile, needTool, runTool } from './support/tools.ts';
import { openKubernetesSchemas } from './support/kubernetes-schema.ts';

interface Definition {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: {
    readonly scope: string;
    readonly names: {
      readonly kind: string;
      readonly shortNames: readonly string[];
      readonly categories: readonly string[];
    };
    readonly versions: readonly {
      readonly additionalPrinterColumns: readonly { readonly jsonPath: string }[];
      readonly subresources: { readonly status?: unknown };
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const folder = join(projectRoot, 'manifests', 'crds');

describe('manifests/crds', () => {
  const definitions = readdirSync(folder).map(
    (name) => parse(readFileSync(join(folder, name), 'utf8')) as Definition,
  );
  const byKind = new Map(definitions.map((definition) => [definition.spec.names.kind, definition]));

  it('has every kind, under short names of its own, in the category mgateway, with a status', () => {
    expect([...byKind.keys()].sort()).to.deep.equal(Object.keys(loadSchemas().kinds).sort());
    const short = definitions.flatMap(({ spec }) => spec.names.shortNames);
    expect(short).to.have.members(['mgw', 'mroute', 'mup', 'mmw', 'mrt', 'mguard']);
    for (const { spec } of definitions) {
      expect(spec.names.categories).to.deep.equal(['mgateway']);
      expect(spec.versions[0]?.subresources.status).to.deep.equal({});
      expect(spec.versions[0]?.additionalPrinterColumns).to.have.length.above(1);
    }
  });

  it('holds no word of ours', () => {
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name), 'utf8'), name).not.to.include('x-mgateway');
    }
  });

  it('takes every resource of the examples, of the chart and of the plain deployment', () => {
    const checks = new Map([...byKind].map(([kind, definition]) => [kind, compile(definition)]));
    const resources = [
      ...yamlUnder(join(projectRoot, 'examples')),
      join(projectRoot, 'manifests', 'routes.yaml'),
    ]
      .flatMap((path) => objectsOf(readFileSync(path, 'utf8')))
      .concat(
        valuesFiles().flatMap((path) => {
          const values = parse(readFileSync(path, 'utf8')) as {
            readonly config?: { readonly resources?: ReturnType<typeof objectsOf> };
          };
          return values.config?.resources ?? [];
        }),
      );
    expect(new Set(resources.map(({ kind }) => kind)).size).to.equal(6);
    for (const resource of resources) {
      const check = checks.get(resource.kind) as ValidateFunction;
      expect(check(resource), `${resource.metadata.name}: ${JSON.stringify(check.errors)}`).to.be.true;
    }
  });

  it('refuses a misspelt field and two conditions where one may be', () => {
    const check = compile(byKind.get('Route') as Definition);
    const route = (match: unknown): unknown => ({
      apiVersion: 'mgateway.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a' },
      spec: { matches: [match], upstreams: [{ name: 'a' }] },
    });
    expect(check(route({ path: { prefix: '/a' } }))).to.be.true;
    expect(check(route({ path: { perfix: '/a' } }))).to.be.false;
    expect(check(route({ path: { prefix: '/a', exact: '/a' } }))).to.be.false;
  });

  describe('by the check of an API server', () => {
    const crdCheck = needTool('crd-check');

    it('is structural, with CEL rules that compile within their budgets', function () {
      this.timeout(60_000);
      const { code, stdout, stderr } = runTool(
        crdCheck,
        readdirSync(folder).map((name) => join(folder, name)),
      );
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal('6 definitions accepted\n');
    });
  });

  describe('by the schemas of Kubernetes', () => {
    const openapi = needFile('kubernetes-openapi.json');

    it('are CustomResourceDefinitions, and the plain deployment is what it says', () => {
      const check = openKubernetesSchemas(openapi);
      for (const definition of definitions) expect(check(definition)).to.deep.equal([]);
      for (const name of ['deployment', 'service', 'service-account']) {
        const text = readFileSync(join(projectRoot, 'manifests', `${name}.yaml`), 'utf8');
        for (const object of objectsOf(text)) expect(check(object), name).to.deep.equal([]);
      }
    });
  });
});

function compile({ spec }: Definition): ValidateFunction {
  const schema = (spec.versions[0] as Definition['spec']['versions'][number]).schema.openAPIV3Schema;
  const { metadata, ...properties } = closeSchema(schema).properties as Record<string, Schema>;
  const { additionalProperties: _open, ...open } = metadata as Schema;
  return new Ajv({ strict: false, allErrors: true }).compile({
    ...closeSchema(schema),
    properties: { ...properties, metadata: open },
  });
}

function yamlUnder(at: string): string[] {
  return readdirSync(at, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(at, name));
}
