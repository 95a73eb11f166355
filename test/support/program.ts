import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cleanup } from './cleanup.ts';

/** Where package.json is. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProgram {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  output(): string;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default: dist/main.js. */
  readonly script?: string;
  readonly input?: string;
  readonly nodeArgs?: readonly string[];
  /** The Node to run it with; default: the one that runs the test. */
  readonly node?: string;
}

/** Starts the built program with `node`; killed at the end if it still runs. */
export function startProgram(
  cleanup: Cleanup,
  args: readonly string[],
  options: ProgramOptions = {},
): RunningProgram {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MGATEWAY_') && name !== 'NODE_OPTIONS',
  );
  const script = options.script ?? join(projectRoot, 'dist', 'main.js');
  const child = spawn(options.node ?? process.execPath, [...(options.nodeArgs ?? []), script, ...args], {
    cwd: options.cwd ?? projectRoot,
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  exited.catch(() => undefined);
  cleanup.add(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    process: child,
    exited,
    stdout: () => stdout,
    stderr: () => stderr,
    output: () => stdout + stderr,
  };
}

/** Runs the built program to its end. */
export async function runProgram(
  cleanup: Cleanup,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const running = startProgram(cleanup, args, options);
  const exit = await running.exited;
  return { ...exit, stdout: running.stdout(), stderr: running.stderr() };
}
