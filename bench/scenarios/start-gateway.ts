import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Started } from '../process/start.ts';
import { startProcess } from '../process/start.ts';
import { gatewayCommand, gatewayDocument } from '../subjects/mgateway.ts';
import type { Bench } from './scenario.ts';

export interface Gateway {
  readonly name: string;
  readonly port: number;
  readonly process: Started;
  /** From its start to the first 200 of `/readyz`. */
  readonly readyMs: number;
  /** Puts a file of the configuration in place at once. */
  write(file: string, text: string): void;
  /** Value of a metric, summed over its series; 0: it has none. */
  metric(name: string): Promise<number>;
  metrics(): Promise<string>;
}

export interface GatewayStart {
  readonly nodeArgs?: readonly string[];
  /** Default: as the bench was asked. */
  readonly workers?: number;
}

/** Starts the gateway on resource files and waits until it is ready. */
export async function startGateway(
  bench: Bench,
  name: string,
  files: Readonly<Record<string, string>>,
  { nodeArgs = [], workers = bench.options.workers }: GatewayStart = {},
): Promise<Gateway> {
  const port = await bench.nextPort();
  const adminPort = await bench.nextPort();
  const dir = bench.newDir(name);
  const write = (file: string, text: string): void => {
    // Hidden entries are not read, so the half-written file is never seen.
    writeFileSync(join(dir, '.writing'), text);
    renameSync(join(dir, '.writing'), join(dir, file));
  };
  write('gateway.yaml', gatewayDocument(port));
  for (const [file, text] of Object.entries(files)) write(file, text);
  const { gateway: main, node } = bench.options;
  const command = gatewayCommand({ main, node }, { dir, adminPort, workers }, nodeArgs);
  const begun = performance.now();
  const process = startProcess(name, command, `${dir}.log`, bench.closing);
  const origin = `http://127.0.0.1:${adminPort}`;
  await process.listening(adminPort);
  while (!(await isReady(origin))) {
    if (performance.now() - begun > 300_000)
      throw new Error(`${name} is not ready: ${process.output().slice(-600)}`);
    await wait(2);
  }
  const readyMs = performance.now() - begun;
  const metrics = async (): Promise<string> => (await fetch(`${origin}/metrics`)).text();
  return {
    name,
    port,
    process,
    readyMs,
    write,
    metrics,
    metric: async (metric) => sumOf(await metrics(), metric),
  };
}

async function isReady(origin: string): Promise<boolean> {
  const response = await fetch(`${origin}/readyz`);
  await response.text();
  return response.status === 200;
}

function sumOf(text: string, metric: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
      sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}
