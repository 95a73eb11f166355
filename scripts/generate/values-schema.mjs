// helm/mgateway/values.schema.json: closed, and with the schemas of resources inside, so that `helm template` already
// refuses a misspelt value and a bad route, with its path.
import { publishAnyKind } from '../../src/controller/parse/published-schema.ts';

const text = { type: 'string' };
const flag = { type: 'boolean' };
/** As Kubernetes has it: the API server judges what is inside. */
const open = { type: 'object' };
const texts = { type: 'object', additionalProperties: text };
const openList = list(open);
const port = { type: 'integer', minimum: 1, maximum: 65535 };
const dnsLabel = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 63 };
const objectName = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', maxLength: 253 };
const duration = {
  type: 'string',
  pattern: '^(0|([0-9]{1,3}h)?([0-9]{1,4}m)?([0-9]{1,5}s)?([0-9]{1,7}ms)?)$',
  minLength: 1,
};
const quantity = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|k|M|G)?$' };
const count = (minimum) => ({ type: 'integer', minimum });
const source = fields({ name: objectName, optional: flag }, ['name']);
/** Empty: as Prometheus does by itself. */
const scrapeDuration = { anyOf: [duration, oneOf('')] };
const monitor = {
  enabled: flag,
  labels: texts,
  annotations: texts,
  namespace: text,
  interval: scrapeDuration,
  scrapeTimeout: scrapeDuration,
  jobLabel: text,
  podTargetLabels: list(text),
  honorLabels: flag,
  sampleLimit: count(0),
  relabelings: openList,
  metricRelabelings: openList,
};
const service = {
  type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer'),
  annotations: texts,
  labels: texts,
  clusterIP: text,
  loadBalancerIP: text,
  loadBalancerClass: text,
  loadBalancerSourceRanges: list(text),
  healthCheckNodePort: { ...port, minimum: 0 },
  trafficDistribution: text,
  allocateLoadBalancerNodePorts: { type: ['boolean', 'null'] },
  externalIPs: list(text),
  externalTrafficPolicy: oneOf('Cluster', 'Local'),
  internalTrafficPolicy: oneOf('Cluster', 'Local'),
  sessionAffinity: oneOf('None', 'ClientIP'),
  ipFamilyPolicy: oneOf('', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
  ipFamilies: list(oneOf('IPv4', 'IPv6')),
};

/** @param {import('../../src/controller/parse/schema.ts').SchemaSet} schemas */
export function renderValuesSchema(schemas) {
  const root = fields({
    // Charts around this one put their own words there.
    global: {
      type: 'object',
      properties: { imageRegistry: text, imagePullSecrets: list(fields({ name: objectName }, ['name'])) },
    },
    nameOverride: text,
    fullnameOverride: text,
    namespaceOverride: { ...dnsLabel, pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$' },
    commonLabels: texts,
    commonAnnotations: texts,
    image: fields({
      registry: text,
      repository: { type: 'string', minLength: 1 },
      tag: text,
      digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
      pullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
    }),
    imagePullSecrets: list(fields({ name: objectName }, ['name'])),
    kind: oneOf('Deployment', 'DaemonSet'),
    replicas: { type: ['integer', 'null'], minimum: 0 },
    workloadAnnotations: texts,
    workloadLabels: texts,
    revisionHistoryLimit: count(0),
    config: fields({
      resources: list({ $ref: '#/definitions/resource' }),
      shards: { type: 'integer', minimum: 0, maximum: 256 },
      existingConfigMaps: list(source),
      existingSecrets: list(source),
      reload: oneOf('hot', 'restart'),
      check: fields({
        enabled: flag,
        tests: oneOf('Auto', 'Always', 'Never'),
        timeoutSeconds: count(1),
        resources: open,
      }),
      fastSync: fields({ enabled: flag, resources: open }),
    }),
    secretFiles: list(
      fields({ name: { ...dnsLabel, maxLength: 58 }, secretName: objectName }, ['name', 'secretName']),
    ),
    modules: fields({ existingConfigMap: text }),
    shadow: fields({
      enabled: flag,
      resources: list({ $ref: '#/definitions/resource' }),
      existingConfigMaps: list(source),
    }),
    stateDir: fields({ enabled: flag, volume: { type: 'object', maxProperties: 1 }, sizeLimit: quantity }),
    gateway: fields({
      workers: { anyOf: [{ type: 'integer', minimum: 1, maximum: 64 }, oneOf('auto')] },
      logLevel: oneOf('error', 'warn', 'info', 'debug'),
      logFormat: oneOf('json', 'pretty'),
      accessLog: flag,
      strict: flag,
      shutdownDelay: duration,
      drainTimeout: duration,
      adminToken: fields({ existingSecret: text, key: { type: 'string', pattern: '^[-._a-zA-Z0-9]+$' } }),
    }),
    extraArgs: list(text),
    lifecycle: open,
    env: openList,
    envFrom: openList,
    ports: {
      type: 'object',
      propertyNames: { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 15 },
      additionalProperties: {
        // A port of the defaults is taken away by `null`.
        anyOf: [
          { type: 'null' },
          fields(
            {
              containerPort: port,
              servicePort: { ...port, minimum: 0 },
              nodePort: port,
              hostPort: port,
              appProtocol: text,
            },
            ['containerPort'],
          ),
        ],
      },
    },
    probesPort: port,
    service: fields({ enabled: flag, ...service }),
    additionalServices: {
      type: 'object',
      propertyNames: { pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', maxLength: 12, not: oneOf('metrics') },
      additionalProperties: fields({ ...service, ports: list(text) }),
    },
    metricsService: fields({ annotations: texts, labels: texts }),
    resources: open,
    readinessProbe: open,
    livenessProbe: open,
    startupProbe: open,
    terminationGracePeriodSeconds: count(0),
    serviceAccount: fields({ create: flag, name: text, annotations: texts }),
    podSecurityContext: open,
    securityContext: open,
    podAnnotations: texts,
    podLabels: texts,
    updateStrategy: open,
    minReadySeconds: count(0),
    nodeSelector: texts,
    tolerations: openList,
    affinity: open,
    topologySpreadConstraints: openList,
    priorityClassName: text,
    runtimeClassName: text,
    hostNetwork: flag,
    dnsPolicy: oneOf('', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'),
    dnsConfig: open,
    hostAliases: openList,
    initContainers: openList,
    extraContainers: openList,
    extraVolumes: openList,
    extraVolumeMounts: openList,
    extraObjects: list({ type: ['object', 'string'] }),
    autoscaling: fields({
      enabled: flag,
      minReplicas: count(1),
      maxReplicas: count(1),
      targetCPUUtilizationPercentage: count(0),
      targetMemoryUtilizationPercentage: count(0),
      targetRequestsInFlight: count(0),
      metrics: openList,
      behavior: open,
    }),
    podDisruptionBudget: fields({
      enabled: flag,
      minAvailable: { type: ['integer', 'string'] },
      maxUnavailable: { type: ['integer', 'string'] },
    }),
    networkPolicy: fields({
      enabled: flag,
      from: openList,
      metricsFrom: openList,
      extraIngress: openList,
      egress: openList,
    }),
    serviceMonitor: fields({ ...monitor, targetLabels: list(text) }),
    podMonitor: fields(monitor),
    prometheusRule: fields({
      enabled: flag,
      labels: texts,
      annotations: texts,
      namespace: text,
      runbookBase: text,
      disabled: list(text),
      ruleLabels: texts,
      ruleAnnotations: texts,
      additionalGroups: openList,
    }),
    dashboards: fields({ enabled: flag, labels: texts, annotations: texts, namespace: text }),
    tests: fields({ timeoutSeconds: count(1) }),
  });
  const definitions = { resource: resource(schemas) };
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', ...root, definitions };
  return `${JSON.stringify(schema, undefined, 1)}\n`;
}

/** A list of documents is for files: here every item stands for itself, and has a name to be spread by. */
function resource(schemas) {
  const any = { ...publishAnyKind(schemas) };
  delete any.$schema;
  return {
    ...withoutWords(any),
    required: ['apiVersion', 'kind', 'metadata'],
    properties: { apiVersion: text, kind: { type: 'string', enum: Object.keys(schemas.kinds) } },
  };
}

/** Helm shows paths, not descriptions; without them the file is half as large. */
function withoutWords(value) {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([word, child]) => !(['description', 'title'].includes(word) && typeof child === 'string'))
      .filter(([word]) => word !== 'default')
      .map(([word, child]) => [word, withoutWords(child)]),
  );
}

function fields(properties, required) {
  return { type: 'object', additionalProperties: false, ...(required && { required }), properties };
}

function list(items) {
  return { type: 'array', items };
}

function oneOf(...values) {
  return { type: 'string', enum: values };
}
