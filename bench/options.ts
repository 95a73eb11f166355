import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  readonly scenarios: readonly string[];
  /** Length of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** Names of subjects; empty: all that are installed. */
  readonly only: readonly string[];
  readonly workers: number;
  /** Where results are written. */
  readonly out: string;
  /** main.js of the gateway that is measured. */
  readonly gateway: string;
  /** The Node that runs the gateway. */
  readonly node: string;
  /** Further builds of it beside: `NAME=PATH` of their main.js. */
  readonly builds: readonly string[];
  /** Folder for a CPU profile of the gateway, if one is wanted. */
  readonly profile: string | undefined;
}

export const usage = `npm run bench -- [--scenario NAME,...] [--seconds 4] [--rounds 3] [--connections 64]
  [--only mgateway,nginx,...] [--workers 1] [--out bench/results] [--profile FOLDER]
  [--gateway dist/main.js] [--node NODE] [--build NAME=MAIN.JS ...]`;

/** @throws Error whose message says what is wrong with an argument. */
export function readOptions(
  argv: readonly string[],
  { out, gateway }: Pick<Options, 'out' | 'gateway'>,
): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', multiple: true, default: ['plain', 'full'] },
      seconds: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      only: { type: 'string', multiple: true, default: [] },
      workers: { type: 'string', default: '1' },
      out: { type: 'string', default: out },
      profile: { type: 'string' },
      gateway: { type: 'string', default: gateway },
      node: { type: 'string', default: process.execPath },
      build: { type: 'string', multiple: true, default: [] },
    },
  });
  return {
    scenarios: listOf(values.scenario),
    seconds: numberOf('seconds', values.seconds, 0.2, 120),
    rounds: numberOf('rounds', values.rounds, 1, 50),
    connections: numberOf('connections', values.connections, 1, 10_000),
    only: listOf(values.only),
    workers: numberOf('workers', values.workers, 1, 64),
    out: values.out,
    gateway: resolve(values.gateway),
    node: values.node,
    builds: listOf(values.build),
    profile: values.profile,
  };
}

function listOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(',')).filter((value) => value !== '');
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!(value >= least && value <= most)) throw new Error(`--${name}: a number from ${least} to ${most}`);
  return value;
}
