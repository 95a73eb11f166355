// manifests/crds/: a CustomResourceDefinition for each kind, from the same schemas that the gateway checks files against.
import { stringify } from 'yaml';

const group = 'mgateway.dev';
const version = 'v1alpha1';
const accepted = column(
  'Accepted',
  '.status.conditions[?(@.type=="Accepted")].status',
  'Whether the gateway took it.',
);
const programmed = column(
  'Programmed',
  '.status.conditions[?(@.type=="Programmed")].status',
  'Whether every worker serves it.',
);
const age = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** What schemas/ does not say: how kinds are called, and what `kubectl get` shows of them. */
const presentation = {
  Gateway: { plural: 'gateways', short: 'mgw', columns: [accepted, programmed] },
  Route: {
    plural: 'routes',
    short: 'mroute',
    columns: [
      column('Hostnames', '.spec.hostnames', 'Hosts that the route serves; none: any.'),
      column('Priority', '.spec.priority', 'Higher wins over every other rule of precedence.', 'integer'),
      accepted,
      programmed,
    ],
  },
  Upstream: {
    plural: 'upstreams',
    short: 'mup',
    columns: [
      column('Strategy', '.spec.loadBalancer.strategy', 'Which endpoint gets the next request.'),
      accepted,
    ],
  },
  Middleware: {
    plural: 'middlewares',
    short: 'mmw',
    columns: [column('Scope', '.spec.scope', 'Who shares its state.'), accepted],
  },
  RouteTest: {
    plural: 'routetests',
    short: 'mrt',
    columns: [
      column('URL', '.spec.request.url', 'What is asked for.'),
      column('Route', '.spec.expect.route', 'The route that must take it.'),
      accepted,
    ],
  },
  Guard: {
    plural: 'guards',
    short: 'mguard',
    columns: [
      column('Path prefix', '.spec.routes.pathPrefix', 'Which routes it is about.'),
      column('Middleware', '.spec.require.middleware', 'The type that each of them must have.'),
      accepted,
    ],
  },
};

/**
 * Checks of a text that a pattern cannot say, as CEL (Kubernetes 1.31 and newer). Regular expressions, templates and types
 * of middleware have none: only the gateway can judge those.
 */
const formatRules = {
  address: rule('isIP(self)', 'must be an IP address'),
  cidr: rule('isIP(self) || isCIDR(self)', 'must be an IP address or a CIDR block'),
  hostname: rule(
    "self == self.lowerAscii() && !self.contains('/') && !self.contains(':') && self != '*'",
    'must be a host name in lower case without a port, or one that begins with *.',
  ),
  origin: rule(
    "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getEscapedPath() in ['', '/']",
    'must be http://HOST:PORT or https://HOST:PORT without a path',
  ),
  path: rule("self.startsWith('/')", 'must begin with /'),
  pathPrefix: rule("self.startsWith('/')", 'must begin with /'),
  pathTemplate: rule("self.startsWith('/')", 'must begin with /'),
  positiveDuration: rule("self != '0' && duration(self) > duration('0s')", 'must be longer than 0'),
  url: rule(
    "isURL(self) && url(self).getScheme() in ['http', 'https']",
    'must be an absolute http:// or https:// URL',
  ),
};

/**
 * By path: the text of each file.
 * @param {import('../../src/controller/parse/schema.ts').SchemaSet} schemas
 * @returns {Readonly<Record<string, string>>}
 */
export function renderCrds({ kinds }) {
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, schema]) => {
      const { plural, short, columns } = presentation[kind] ?? missing(kind);
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: {
            kind,
            listKind: `${kind}List`,
            plural,
            singular: kind.toLowerCase(),
            shortNames: [short],
            categories: ['mgateway'],
          },
          versions: [
            {
              name: version,
              served: true,
              storage: true,
              additionalPrinterColumns: [...columns, age],
              subresources: { status: {} },
              schema: { openAPIV3Schema: rootSchema(schema) },
            },
          ],
        },
      };
      const text = stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false });
      return [
        `manifests/crds/${group}_${plural}.yaml`,
        `# Generated from schemas/ by scripts/generate.mjs. Do not edit.\n${text}`,
      ];
    }),
  );
}

/** The envelope is the API server's: of `metadata` a structural schema may restrict the name alone. */
function rootSchema(schema) {
  const { spec, status, metadata } = schema.properties;
  const { name } = metadata.properties;
  return {
    type: 'object',
    description: schema.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        type: 'object',
        properties: { name: { type: 'string', maxLength: name.maxLength, pattern: name.pattern } },
      },
      spec: structural(spec),
      status: structural(status),
    },
  };
}

/** Without our own words; what they say becomes CEL where CEL can say it. */
function structural(schema) {
  const { properties, items, additionalProperties, ...rest } = schema;
  const words = Object.entries(rest).filter(([word]) => word !== 'title' && !word.startsWith('x-mgateway-'));
  const rules = rulesOf(schema);
  return {
    ...Object.fromEntries(words),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, child]) => [name, structural(child)]),
      ),
    }),
    ...(items && { items: structural(items) }),
    ...(additionalProperties && { additionalProperties: structural(additionalProperties) }),
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
  };
}

function rulesOf(schema) {
  const oneOf = schema['x-mgateway-one-of'];
  const format = formatRules[schema['x-mgateway-format']];
  return [
    ...(oneOf
      ? [
          rule(
            `[${oneOf.map((name) => `has(self.${identifier(name)})`).join(', ')}].filter(given, given).size() == 1`,
            `exactly one of ${oneOf.join(', ')} must be given`,
          ),
        ]
      : []),
    ...(format ? [format] : []),
  ];
}

/** Words that CEL keeps for itself would have to be escaped; there are none among our fields. */
function identifier(name) {
  if (!/^[A-Za-z]\w*$/.test(name) || ['in', 'namespace', 'package', 'true', 'false', 'null'].includes(name)) {
    throw new Error(`crds: the field ${name} needs escaping in CEL`);
  }
  return name;
}

function rule(text, message) {
  return { rule: text, message };
}

function column(name, jsonPath, description, type = 'string') {
  return { name, type, jsonPath, description };
}

function missing(kind) {
  throw new Error(`crds: say in scripts/generate/crds.mjs how ${kind} is presented`);
}
