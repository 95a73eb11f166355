import { readFileSync } from 'node:fs';
import type { ErrorObject } from 'ajv';
import { Ajv } from 'ajv';

interface Definition {
  readonly [word: string]: unknown;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

export type CheckObject = (object: {
  readonly apiVersion: string;
  readonly kind: string;
}) => readonly string[];

/** What the API server says to an object: by its own published schemas, and unknown fields refused as `--validate=strict` does. */
export function openKubernetesSchemas(openapi: string): CheckObject {
  const { definitions } = JSON.parse(readFileSync(openapi, 'utf8')) as {
    readonly definitions: Readonly<Record<string, Definition>>;
  };
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  ajv.addSchema({
    $id: 'kubernetes',
    definitions: Object.fromEntries(
      Object.entries(definitions).map(([name, definition]) => [name, close(name, definition)]),
    ),
  });
  const names = new Map<string, string>();
  for (const [name, definition] of Object.entries(definitions)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      names.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, name);
    }
  }
  return (object) => {
    const name = names.get(`${object.apiVersion} ${object.kind}`);
    if (name === undefined) return [`${object.apiVersion} ${object.kind} is not of Kubernetes`];
    const check = ajv.getSchema(`kubernetes#/definitions/${name}`);
    if (check === undefined) throw new Error(`no schema of ${name}`);
    return check(object) === true ? [] : (check.errors ?? []).map(describe);
  };
}

function close(name: string, definition: Definition): unknown {
  // Both may be a number or a text, whatever the published type says.
  if (/(IntOrString|Quantity)$/.test(name)) return { type: ['integer', 'number', 'string'] };
  if (definition.properties === undefined || /JSONSchemaProps/.test(name)) return definition;
  return { ...definition, additionalProperties: false };
}

function describe({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`;
}
