import type { Closing } from '../process/closing.ts';
import { which } from '../process/which.ts';
import { generate } from './generate.ts';
import { runWrk } from './wrk.ts';

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Asked in turn; at least one. */
  readonly targets: readonly Target[];
  /** Sent with each request: name, value. */
  readonly headers: Readonly<Record<string, string>>;
  /** An empty folder for scratch files. */
  readonly dir: string;
}

export interface Target {
  readonly path: string;
  /** Host field; default: the address. */
  readonly host?: string;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were not 2xx, and connections that broke. */
  readonly failures: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bodyBytes: number;
}

/** As many requests as come back, a fixed number at a time (closed loop): wrk where it is installed, else our own. */
export async function runLoad(order: LoadOrder, closing: Closing): Promise<LoadResult> {
  const wrk = which('wrk');
  return wrk === undefined ? generate({ ...order, rate: 0 }, closing) : runWrk(wrk, order, closing);
}

export function loadProgram(): string {
  return which('wrk') === undefined ? 'own generator (Node)' : 'wrk';
}
