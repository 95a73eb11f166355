import { hash as digest } from 'node:crypto';
import type { Resource } from '../../resources/generated.ts';
import type { ResourceKind } from '../../resources/kinds.ts';
import { apiGroup, apiVersion, isResourceKind, resourceKey, resourceKinds } from '../../resources/kinds.ts';
import type { CheckMiddleware } from './check-resource.ts';
import { checkResource } from './check-resource.ts';
import type { PlacedValue } from './document-tree.ts';
import type { FieldPath } from './field-path.ts';
import { formatPath } from './field-path.ts';
import type { Finding, PlacedFinding } from './finding.ts';
import type { Schema, SchemaSet } from './schema.ts';
import { suggest } from './suggest.ts';
import type { Validate } from './validator.ts';
import { compileValidator } from './validator.ts';

/** One resource of a document; positions are relative to the document. */
export interface ReadResource {
  /** Where it stands in the document: empty, or `items[3]` of a List. */
  readonly prefix: FieldPath;
  readonly key: string | undefined;
  readonly kind: ResourceKind | 'Unknown';
  readonly namespace: string;
  readonly name: string;
  readonly hash: string;
  readonly place: { readonly line: number; readonly column: number };
  readonly resource: Resource | undefined;
  readonly findings: readonly PlacedFinding[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Once for all documents of which there is nothing to be told. */
const noFindings: readonly PlacedFinding[] = [];
const whole: FieldPath = [];

/** From a document's tree to its resources, validated. */
export class ResourceReader {
  readonly #schemas: SchemaSet;
  readonly #checkMiddleware: CheckMiddleware;
  readonly #validators = new Map<ResourceKind, Validate>();

  constructor(schemas: SchemaSet, checkMiddleware: CheckMiddleware) {
    this.#schemas = schemas;
    this.#checkMiddleware = checkMiddleware;
  }

  /** `hash`: of the document's text. A document without content has no resources. */
  read(tree: PlacedValue, hash: string): readonly ReadResource[] {
    const { value, findings } = tree;
    if (value === null && findings.length === 0) return [];
    if (!isFields(value) || value['kind'] !== 'List')
      return [this.#readOne(tree, value, whole, hash, findings)];
    const items: unknown = value['items'];
    const listFindings = checkList(value);
    if (!Array.isArray(items) || listFindings.length > 0) {
      const placed = [...findings, ...listFindings.map((finding) => tree.place(finding))];
      return [unknownResource(tree, [], hash, placed)];
    }
    const read = items.map((item: unknown, i) => {
      const own = formatPath(['items', i]);
      const itemFindings = findings.filter(
        ({ path }) => path === own || path.startsWith(`${own}.`) || path.startsWith(`${own}[`),
      );
      return this.#readOne(
        tree,
        item,
        ['items', i],
        digest('sha256', JSON.stringify(item), 'base64url'),
        itemFindings,
      );
    });
    // What is wrong around the items belongs to none of them.
    const rest = findings.filter((finding) => !finding.path.startsWith('items['));
    return rest.length === 0 ? read : [...read, unknownResource(tree, [], hash, rest)];
  }

  #readOne(
    tree: PlacedValue,
    value: unknown,
    prefix: FieldPath,
    hash: string,
    textFindings: readonly PlacedFinding[],
  ): ReadResource {
    const identity = identify(value);
    const validated = this.#validate(value);
    // What could not be read is null: that it is no list or text either need not be said.
    const unread = new Set(textFindings.map(({ path }) => path));
    const findings = [
      ...textFindings,
      ...validated.findings
        .map((finding) => tree.place({ ...finding, path: [...prefix, ...finding.path] }))
        .filter(({ path }) => !unread.has(path)),
    ].sort((a, b) => a.line - b.line || a.column - b.column);
    const isGood = findings.length === 0;
    return {
      prefix,
      ...identity,
      hash,
      place: tree.locate(prefix, 'value'),
      resource: isGood ? (validated.value as Resource) : undefined,
      findings: isGood ? noFindings : findings,
    };
  }

  #validate(value: unknown): { readonly value: unknown; readonly findings: readonly Finding[] } {
    const envelope = checkEnvelope(value);
    const kind = isFields(value) ? value['kind'] : undefined;
    if (!isResourceKind(kind) || envelope.length > 0) return { value, findings: envelope };
    // Status is ours to write: whatever stands there says nothing.
    const { status: _status, ...written } = value as Fields;
    const validation = this.#validatorOf(kind)(written);
    const beyond = checkResource(validation.value as Fields, validation.findings, this.#checkMiddleware);
    return { value: validation.value, findings: [...validation.findings, ...beyond] };
  }

  #validatorOf(kind: ResourceKind): Validate {
    let validate = this.#validators.get(kind);
    if (validate === undefined) {
      validate = compileValidator(this.#schemas.kinds[kind] as Schema);
      this.#validators.set(kind, validate);
    }
    return validate;
  }
}

type Identity = Pick<ReadResource, 'key' | 'kind' | 'namespace' | 'name'>;

/** Who a document says it is, however wrong the rest may be: so its last accepted version can be found. */
function identify(value: unknown): Identity {
  const { kind, metadata } = isFields(value) ? value : {};
  const { name, namespace = 'default' } = isFields(metadata) ? metadata : ({} as Fields);
  const known = {
    // Our own word, so that not every document keeps its copy.
    kind: resourceKinds.find((known) => known === kind) ?? ('Unknown' as const),
    namespace: isName(namespace) ? namespace : 'default',
    name: isName(name) ? name : '',
  };
  const isKnown = known.kind !== 'Unknown' && isName(name) && isName(namespace);
  return {
    ...known,
    key: isKnown ? resourceKey(known.kind as ResourceKind, known.namespace, known.name) : undefined,
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s/]{1,253}$/.test(value);
}

/** Whether the document is one of ours; only then its schema can be asked. */
function checkEnvelope(value: unknown): readonly Finding[] {
  if (!isFields(value)) {
    return [{ path: [], on: 'value', message: 'must be a mapping with apiVersion, kind, metadata and spec' }];
  }
  const version = value['apiVersion'];
  const kind = value['kind'];
  if (typeof version === 'string' && !version.startsWith(`${apiGroup}/`)) {
    const isTypo = suggest(version, [apiVersion]) !== undefined;
    const hint = isTypo ? `did you mean "${apiVersion}"?` : `this gateway reads ${apiVersion}`;
    return [
      { path: ['apiVersion'], on: 'value', message: `unknown apiVersion ${JSON.stringify(version)}`, hint },
    ];
  }
  if (isResourceKind(kind)) return [];
  if (kind === undefined) {
    const meant = Object.keys(value).find((name) => suggest(name, ['kind']) !== undefined);
    const hint =
      meant === undefined ? `possible: ${resourceKinds.join(', ')}` : `did you mean "kind" by "${meant}"?`;
    return [{ path: ['kind'], on: 'key', message: 'missing field "kind"', hint }];
  }
  const meant = typeof kind === 'string' ? suggest(kind, resourceKinds) : undefined;
  const hint = meant === undefined ? `possible: ${resourceKinds.join(', ')}` : `did you mean "${meant}"?`;
  return [
    { path: ['kind'], on: 'value', message: `unknown kind ${JSON.stringify(kind)}`.slice(0, 200), hint },
  ];
}

/** `kubectl get -o yaml` writes `apiVersion: v1`; ours is as good. */
function checkList(list: Fields): readonly Finding[] {
  const version = list['apiVersion'];
  const findings: Finding[] = [];
  if (version !== 'v1' && version !== apiVersion) {
    findings.push({
      path: ['apiVersion'],
      on: 'value',
      message: `the apiVersion of a List must be v1 or ${apiVersion}`,
    });
  }
  if (!Array.isArray(list['items'])) {
    findings.push({ path: ['items'], on: 'value', message: 'the items of a List must be a list' });
  }
  for (const name of Object.keys(list)) {
    if (!['apiVersion', 'kind', 'metadata', 'items'].includes(name)) {
      findings.push({ path: [name], on: 'key', message: `unknown field "${name}"` });
    }
  }
  return findings;
}

function unknownResource(
  tree: PlacedValue,
  prefix: FieldPath,
  hash: string,
  findings: readonly PlacedFinding[],
): ReadResource {
  const place = tree.locate(prefix, 'value');
  return {
    prefix,
    key: undefined,
    kind: 'Unknown',
    namespace: 'default',
    name: '',
    hash,
    place,
    resource: undefined,
    findings,
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
