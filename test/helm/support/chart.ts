import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '../../support/program.ts';
import { runTool } from './tools.ts';
import type { Ran } from './tools.ts';

export const chartFolder = join(projectRoot, 'helm', 'mgateway');

/** A Kubernetes object as rendered: what tests look at is checked by its own schema elsewhere. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
  }[];
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly projected?: { readonly sources: readonly { readonly configMap?: { readonly name: string } }[] };
  }[];
}

export function valuesFiles(): readonly string[] {
  return readdirSync(join(chartFolder, 'ci')).map((name) => join(chartFolder, 'ci', name));
}

/** `helm template` with values files and values as JSON on standard input. */
export function template(helm: string, options: { files?: readonly string[]; values?: unknown }): Ran {
  const { files = [], values } = options;
  const args = ['template', 'edge', chartFolder, '--namespace', 'gateways', '--kube-version', '1.34.0'];
  for (const file of files) args.push('--values', file);
  if (values === undefined) return runTool(helm, args);
  return runTool(helm, [...args, '--values', '-'], JSON.stringify(values));
}

/** Fails if the chart refuses the values. */
export function render(helm: string, options: Parameters<typeof template>[1]): readonly KubeObject[] {
  const { code, stdout, stderr } = template(helm, options);
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

export function objectsOf(text: string): readonly KubeObject[] {
  // Kubernetes reads YAML 1.1, where 0444 is octal.
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    const value = document.toJS() as KubeObject | null;
    return value === null ? [] : [value];
  });
}

/** The pod of a Deployment, DaemonSet, Job or Pod. */
export function podOf(object: KubeObject): PodSpec | undefined {
  if (object.kind === 'Pod') return object.spec as PodSpec;
  if (!['Deployment', 'DaemonSet', 'Job'].includes(object.kind)) return undefined;
  return (object.spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
}

export function gatewayOf(objects: readonly KubeObject[]): { pod: PodSpec; container: Container } {
  const workload = objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet') as KubeObject;
  const pod = podOf(workload) as PodSpec;
  return { pod, container: pod.containers.find(({ name }) => name === 'gateway') as Container };
}

/** Files of a projected volume as the API server hands them to the kubelet. */
export function projectedFiles(
  objects: readonly KubeObject[],
  pod: PodSpec,
  volume: string,
): Record<string, string> {
  const sources = pod.volumes?.find(({ name }) => name === volume)?.projected?.sources ?? [];
  return Object.assign(
    {},
    ...sources.map(({ configMap }) => {
      const found = objects.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMap?.name,
      );
      if (found === undefined) throw new Error(`there is no ConfigMap ${configMap?.name ?? ''}`);
      return found.data ?? {};
    }),
  ) as Record<string, string>;
}

/** Writes a version of a volume as the kubelet's atomic writer does: a new directory, `..data` renamed over, links, the old one gone. */
export function writeAsKubelet(
  directory: string,
  files: Readonly<Record<string, string>>,
  version: number,
): void {
  const name = `..2026_01_01_00_00_00.${version}`;
  const before = readdirSync(directory);
  mkdirSync(join(directory, name));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, name, path), text);
  symlinkSync(name, join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  for (const path of Object.keys(files)) {
    if (!before.includes(path)) symlinkSync(join('..data', path), join(directory, path));
  }
  for (const path of before) {
    if (path === '..data' || path in files) continue;
    rmSync(join(directory, path), { recursive: true });
  }
}
