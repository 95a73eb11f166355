import type { LogLevel } from '../snapshot/messages.ts';

/** Lower is graver. */
export const logLevels: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Whether a record of `level` is written under `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels[level] <= logLevels[threshold];
}
