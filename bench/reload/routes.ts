import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface RouteSet {
  readonly count: number;
  readonly files: number;
  readonly port: number;
  readonly upstream: string;
}

const upstreams = 100;

/** YAML files by name: `count` routes of about 500 bytes. `stampOf` puts something of a version into each route. */
export function routeFiles(set: RouteSet, stampOf: (route: number) => string): ReadonlyMap<string, string> {
  const files = new Map<string, string>([['gateway.yaml', sharedDocuments(set)]]);
  const perFile = Math.ceil(set.count / set.files);
  for (let file = 0; file < set.files; file++) {
    const documents: string[] = [];
    for (let route = file * perFile; route < Math.min(set.count, (file + 1) * perFile); route++) {
      documents.push(routeDocument(route, stampOf(route)));
    }
    files.set(`routes-${String(file).padStart(3, '0')}.yaml`, documents.join('---\n'));
  }
  return files;
}

function sharedDocuments({ port, upstream }: RouteSet): string {
  const documents = [
    `apiVersion: mgateway.dev/v1alpha1
kind: Gateway
metadata: { name: default }
spec:
  listeners: [{ name: http, port: ${port}, address: 127.0.0.1 }]
  generationHeader: x-generation
`,
    `apiVersion: mgateway.dev/v1alpha1
kind: Middleware
metadata: { name: fair-use }
spec: { rateLimit: { requests: 1000000, per: 1s } }
`,
  ];
  for (let i = 0; i < upstreams; i++) {
    documents.push(`apiVersion: mgateway.dev/v1alpha1
kind: Upstream
metadata: { name: service-${i} }
spec: { endpoints: [{ url: "${upstream}" }] }
`);
  }
  return documents.join('---\n');
}

function routeDocument(route: number, stamp: string): string {
  return `apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata:
  name: route-${route}
  labels: { team: team-${route % 37}, tier: standard }
spec:
  hostnames: [tenant-${route % 500}.example.com]
  matches:
    - path: { template: "/api/v1/resource-${route}/{id}" }
      methods: [GET, POST]
    - path: { prefix: /files/resource-${route} }
      headers: [{ name: x-tier, exact: gold }]
  middlewares:
    - name: fair-use
    - requestHeaders: { set: { x-resource: "resource-${route}", x-stamp: "${stamp}" } }
    - rewrite: { stripPrefix: /api/v1 }
  upstreams: [{ name: service-${route % upstreams} }]
  timeouts: { request: 30s }
`;
}

/** A directory kept as the kubelet keeps a mounted ConfigMap; `prepare` writes, the returned function only swaps. */
export function createVolume(dir: string): { prepare(files: ReadonlyMap<string, string>): () => void } {
  mkdirSync(dir, { recursive: true });
  let current: string | undefined;
  const linked = new Set<string>();
  return {
    prepare(files) {
      const version = mkdtempSync(join(dir, '..version_'));
      for (const [name, text] of files) writeFileSync(join(version, name), text);
      return () => {
        const old = current;
        current = version;
        symlinkSync(basename(version), join(dir, '..data_tmp'));
        renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
        for (const name of files.keys()) {
          if (!linked.has(name)) symlinkSync(join('..data', name), join(dir, name));
          linked.add(name);
        }
        if (old !== undefined) rmSync(old, { recursive: true });
      };
    },
  };
}
