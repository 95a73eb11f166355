import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What the processes of one subject used, from /proc: all children and their threads included. */
export interface ProcessTree {
  /** Seconds of CPU since it started, user and system. */
  cpuSeconds(): number;
  /** Resident memory, bytes; pages that several processes share count for each. */
  residentBytes(): number;
}

/** Only Linux has /proc; elsewhere CPU and memory cannot be told. */
export const hasProc = existsSync('/proc/self/stat');

export function processTree(rootPid: number): ProcessTree {
  const ticks = ticksPerSecond();
  return {
    cpuSeconds: () => sum(pidsUnder(rootPid), cpuTicks) / ticks,
    residentBytes: () => sum(pidsUnder(rootPid), residentBytes),
  };
}

function ticksPerSecond(): number {
  return hasProc ? Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 100;
}

function pidsUnder(pid: number): readonly number[] {
  const children = attempt(() => readdirSync(`/proc/${pid}/task`), []).flatMap((task) =>
    attempt(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'), '')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
  return [pid, ...children.flatMap(pidsUnder)];
}

/** proc_pid_stat(5): fields 14 and 15, counted behind the name, which may hold blanks and brackets. */
function cpuTicks(pid: number): number {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.length < 13 ? 0 : Number(fields[11]) + Number(fields[12]);
}

function residentBytes(pid: number): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** Processes end while one looks at them. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
