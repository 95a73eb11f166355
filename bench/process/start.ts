import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Closing } from './closing.ts';
import type { ProcessTree } from './proc.ts';
import { processTree } from './proc.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Started extends ProcessTree {
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** Rejects if it ends or does not accept connections in time. */
  listening(port: number, withinMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a program in a process group of its own, so that its children end with it. */
export function startProcess(name: string, command: Command, logFile: string, closing: Closing): Started {
  const log = openSync(logFile, 'w');
  const child = spawn(command.command, [...command.args], {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = `ended with ${signal ?? code ?? 'nothing'}`));
  const pid = child.pid ?? -1;
  const output = (): string => readFileSync(logFile, 'utf8');
  const signal = (what: NodeJS.Signals): void => {
    try {
      process.kill(-pid, what);
    } catch {
      // It is gone already.
    }
  };
  const stop = async (): Promise<void> => {
    if (ended !== undefined || pid < 0) return;
    const exited = once(child, 'exit');
    signal('SIGTERM');
    if ((await Promise.race([exited, wait(3_000, 'late', { ref: false })])) === 'late') signal('SIGKILL');
    await exited;
  };
  closing.add(stop);
  return {
    ...processTree(pid),
    pid,
    output,
    stop,
    async listening(port, withinMs = 20_000) {
      const deadline = performance.now() + withinMs;
      while (!(await accepts(port))) {
        if (ended !== undefined) throw new Error(`${name}: ${ended}: ${output().slice(-600)}`);
        if (performance.now() > deadline)
          throw new Error(`${name}: does not listen: ${output().slice(-600)}`);
        await wait(10);
      }
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
