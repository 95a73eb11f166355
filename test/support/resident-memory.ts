import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  if (existsSync(status)) {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(status, 'utf8'))?.[1]) * 1024;
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}

export interface MemoryWatch {
  /** The most that was seen above the start so far, bytes. */
  readonly added: number;
  stop(): number;
}

/** Looks at a process every 10 ms. */
export function watchMemory(pid: number): MemoryWatch {
  const start = residentBytes(pid);
  let most = start;
  const look = (): void => {
    most = Math.max(most, residentBytes(pid));
  };
  const timer = setInterval(look, 10);
  return {
    get added() {
      return most - start;
    },
    stop() {
      clearInterval(timer);
      look();
      return most - start;
    },
  };
}
