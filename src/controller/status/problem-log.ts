import type { Problem } from '../../snapshot/messages.ts';
import type { Logger } from '../../telemetry/log.ts';

export interface ProblemLog {
  /** The problems that there are now: logs those that are new, and those that are gone. */
  update(errors: readonly Problem[], warnings: readonly Problem[]): void;
}

/** A file of 100,000 broken documents must not become 100,000 lines. */
const maxLines = 100;

/** Logs every problem once when it appears and once when it is gone, however often the configuration is read between. */
export function createProblemLog(log: Logger): ProblemLog {
  let known = new Map<string, Problem>();
  return {
    update(errors, warnings) {
      const now = new Map<string, Problem>();
      let lines = 0;
      let silent = 0;
      const say = (write: () => void): void => {
        lines += 1;
        if (lines <= maxLines) write();
        else silent += 1;
      };
      for (const [level, problems] of [['error', errors] as const, ['warn', warnings] as const]) {
        for (const problem of problems) {
          const key = keyOf(problem);
          if (now.has(key)) continue;
          now.set(key, problem);
          if (!known.has(key)) say(() => log[level]('configuration problem', { ...problem }));
        }
      }
      for (const [key, problem] of known) {
        if (!now.has(key)) say(() => log.info('configuration problem is gone', { ...problem }));
      }
      if (silent > 0) log.warn('further configuration problems not logged', { count: silent });
      known = now;
    },
  };
}

/** Without line and column: a problem that moves because of a line above it is the same problem. */
function keyOf({ at, path, message }: Problem): string {
  return `${at.replace(/:\d+:\d+$/, '')}\0${path}\0${message}`;
}
