import { constants, setPriority } from 'node:os';

/**
 * Lowers the priority of the calling thread. Where cores are short, the scheduler shares a process's (or container's) time
 * out among its threads: a reload would slow the workers beside it down. Only Linux has priorities of single threads
 * (setpriority(2), "C library/kernel differences"); elsewhere, and where a sandbox forbids it, nothing happens.
 */
export function giveWayToTraffic(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It serves without.
  }
}
