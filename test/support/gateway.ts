import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { startProgram } from './program.ts';
import type { Exit, RunningProgram } from './program.ts';
import { request } from './request.ts';
import { tempDir } from './temp-dir.ts';

export interface GatewayOptions {
  /**
   * Resource files by path inside the configuration directory. If none holds a Gateway, one is written beside them that
   * listens on 127.0.0.1 and `port`.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** A directory to serve as it is, instead of `files` in one of its own: nothing is written to it. */
  readonly dir?: string;
  /** Port of the written Gateway's listener; default: a free one. */
  readonly port?: number;
  /** Further lines of the written Gateway's `spec`, e.g. `trustedProxies: [127.0.0.1]`. */
  readonly gatewaySpec?: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** The Node to run it with; default: the one that runs the test. */
  readonly node?: string;
  /** Default true: waits until `/readyz` says so. */
  readonly untilReady?: boolean;
}

export interface RunningGateway extends RunningProgram {
  /** Origin of the listener. */
  readonly url: string;
  readonly port: number;
  /** Origin of the admin listener. */
  readonly admin: string;
  /** The configuration directory. */
  readonly dir: string;
  /** Writes a file of the configuration at once (beside it, then renamed over it). */
  write(path: string, text: string): void;
  remove(path: string): void;
  /** Waits until the served generation is higher than it was when `change` began. */
  reload(change: () => void): Promise<void>;
  /** Value of one series, e.g. `mgateway_requests_total{route="default/a",method="GET",code="200"}`; 0 if absent. */
  metric(series: string): Promise<number>;
  metrics(): Promise<string>;
  generation(): Promise<number>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** Starts `node dist/main.js serve` on a configuration directory of its own; stopped at the end. */
export async function startGateway(cleanup: Cleanup, options: GatewayOptions = {}): Promise<RunningGateway> {
  const dir = options.dir ?? tempDir(cleanup);
  const port = options.port ?? (await freePort());
  const adminPort = await freePort();
  const admin = `http://127.0.0.1:${adminPort}`;
  const files = options.files ?? {};
  const write = (path: string, text: string): void => {
    const target = join(dir, path);
    mkdirSync(dirname(target), { recursive: true });
    // Hidden entries are skipped by the gateway, so the half-written file is never seen.
    const staging = join(dirname(target), `.writing-${process.pid}`);
    writeFileSync(staging, text);
    renameSync(staging, target);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  const brings = options.dir !== undefined;
  if (!brings && !Object.values(files).some((text) => /^kind: Gateway\b/m.test(text))) {
    write('gateway.yaml', gatewayDocument(port, options.gatewaySpec));
  }
  const program = startProgram(
    cleanup,
    [
      'serve',
      '--config',
      dir,
      '--admin',
      `127.0.0.1:${adminPort}`,
      '--shutdown-delay',
      '0s',
      ...(options.args ?? []),
    ],
    {
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.nodeArgs === undefined ? {} : { nodeArgs: options.nodeArgs }),
      ...(options.node === undefined ? {} : { node: options.node }),
    },
  );
  const metrics = async (): Promise<string> => (await request(`${admin}/metrics`)).body;
  const metric = async (series: string): Promise<number> => seriesValue(await metrics(), series);
  const generation = (): Promise<number> => metric('mgateway_config_generation');
  const gateway: RunningGateway = {
    ...program,
    url: `http://127.0.0.1:${port}`,
    port,
    admin,
    dir,
    write,
    remove: (path) => rmSync(join(dir, path), { recursive: true, force: true }),
    async reload(change) {
      const before = await generation();
      change();
      await eventually(async () => (await generation()) > before);
    },
    metric,
    metrics,
    generation,
    stop(signal = 'SIGTERM') {
      program.process.kill(signal);
      return program.exited;
    },
  };
  if (options.untilReady ?? true) await untilReady(gateway);
  return gateway;
}

async function untilReady(gateway: RunningGateway): Promise<void> {
  const child = gateway.process;
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  // The metrics hear of a generation a little after it is served: `reload` compares with what they say.
  const isReady = async (): Promise<boolean> =>
    (await request(`${gateway.admin}/readyz`)).status === 200 && (await gateway.generation()) > 0;
  try {
    await eventually(async () => hasEnded() || (await isReady()), {
      withinMs: 15_000,
    });
  } catch (error) {
    throw new Error(`the gateway did not become ready:\n${gateway.output()}`, { cause: error });
  }
  if (!hasEnded()) return;
  const { code, signal } = await gateway.exited;
  throw new Error(`the gateway ended with ${code ?? signal} before it was ready:\n${gateway.output()}`);
}

/** A Gateway document with one listener called `http` on 127.0.0.1. */
export function gatewayDocument(port: number, spec = ''): string {
  const lines = [
    'apiVersion: mgateway.dev/v1alpha1',
    'kind: Gateway',
    'metadata: { name: default }',
    'spec:',
    `  listeners: [{ name: http, port: ${port}, address: 127.0.0.1 }]`,
    ...spec
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** A Route document: `spec` is YAML, indented by nothing. */
export function routeDocument(name: string, spec: string): string {
  const lines = spec.split('\n').filter((line) => line.trim() !== '');
  return [
    'apiVersion: mgateway.dev/v1alpha1',
    'kind: Route',
    `metadata: { name: ${name} }`,
    'spec:',
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** The value of one series in the text exposition format, labels in any order; 0 if it is not there. */
function seriesValue(text: string, series: string): number {
  const wanted = parseSeries(series);
  for (const line of text.split('\n')) {
    if (!line.startsWith(wanted.name)) continue;
    const found = parseSeries(line.slice(0, line.lastIndexOf(' ')));
    if (found.name === wanted.name && found.labels === wanted.labels) {
      return Number(line.slice(line.lastIndexOf(' ') + 1));
    }
  }
  return 0;
}

function parseSeries(series: string): { name: string; labels: string } {
  const [, name = '', labels = ''] = /^([a-zA-Z_:0-9]+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const pairs = labels.match(/[a-zA-Z_0-9]+="(?:[^"\\]|\\.)*"/g) ?? [];
  return { name, labels: pairs.sort().join(',') };
}
