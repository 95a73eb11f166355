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
import { cleanupAfterAll } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { compileValidator } from '../../src/controller/parse/validator.ts';
import { listOf, needCluster } from './support/cluster.ts';
import { exampleResources } from './support/example-resources.ts';
import { mutationsOf } from './support/mutations.ts';

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
    const resources = exampleResources();
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

  describe('in an API server', function () {
    this.timeout(120_000);
    const cluster = needCluster(cleanupAfterAll());

    before(() => {
      cluster.done(['create', '-f', folder]);
      cluster.done(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
    });

    it('finds nothing wrong with the CRDs, and shows resources by category, short name and column', async () => {
      const definitions = JSON.parse(cluster.done(['get', 'crd', '-o', 'json'])) as {
        readonly items: readonly {
          readonly metadata: { readonly name: string };
          readonly status: {
            readonly conditions: readonly { readonly type: string; readonly status: string }[];
          };
        }[];
      };
      for (const { metadata, status } of definitions.items) {
        const good = ['Established', 'NamesAccepted', 'KubernetesAPIApprovalPolicyConformant'];
        const bad = status.conditions.filter(
          ({ type, status: is }) => (is === 'True') !== good.includes(type),
        );
        expect(bad, metadata.name).to.deep.equal([]);
      }
      cluster.namespace('shown');
      const one = [...new Map(exampleResources().map((resource) => [resource.kind, resource])).values()];
      await eventually(() =>
        cluster.done(['create', '-n', 'shown', '--validate=strict', '-f', '-'], listOf(one)),
      );
      const shown = cluster.done(['get', 'mgateway', '-n', 'shown']);
      for (const short of ['mgw', 'mroute', 'mup', 'mmw', 'mrt', 'mguard']) {
        const [header = '', first = ''] = cluster.done(['get', short, '-n', 'shown']).split('\n');
        expect(header, short).to.match(/^NAME +[A-Z]/);
        expect(shown).to.include(first.split(' ')[0]);
      }
      const route = one.find(({ kind }) => kind === 'Route')?.metadata.name ?? '';
      const status = JSON.stringify({ status: { conditions: [] } });
      cluster.done([
        'patch',
        'mroute',
        route,
        '-n',
        'shown',
        '--subresource=status',
        '--type=merge',
        '-p',
        status,
      ]);
    });

    it('takes what the gateway takes, and refuses what it refuses', async () => {
      cluster.namespace('resources');
      const { kinds } = loadSchemas();
      const disagreements: string[] = [];
      let refused = 0;
      const resources = exampleResources();
      for (const resource of resources) {
        const plural = `/apis/mgateway.dev/v1alpha1:${resource.kind.toLowerCase()}s`;
        const { namespace: _any, ...metadata } = resource.metadata as Record<string, unknown>;
        const verdict = await cluster.server.tryCreate(plural, 'resources', { ...resource, metadata });
        expect(verdict.message, resource.metadata.name).to.equal('');
        const validate = compileValidator(kinds[resource.kind] as Schema);
        for (const { what, value } of mutationsOf({ ...resource, metadata })) {
          const { findings } = validate(structuredClone(value));
          const { message } = await cluster.server.tryCreate(plural, 'resources', value);
          if (message !== '') refused++;
          if ((message === '') !== (findings.length === 0)) {
            disagreements.push(
              `${resource.kind}/${resource.metadata.name} ${what}: API server ${message}, gateway ${JSON.stringify(findings[0])}`,
            );
          }
        }
      }
      expect(disagreements).to.deep.equal([]);
      expect(refused).to.be.above(300);
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
