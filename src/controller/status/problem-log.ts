import type { Problem } from '../../snapshot/messages.ts';
import type { Logger } from '../../telemetry/log.ts';
import { spread } from './spread.ts';

export interface ProblemLog {
  /** The problems that there are now: logs those that are new, and those that are gone. */
  update(errors: readonly Problem[], warnings: readonly Problem[]): void;
}

type Known = ReadonlyMap<string, Problem>;

/** A file of 100,000 broken documents must not become 100,000 lines. */
const maxLines = 100;

/**
 * Logs every problem once when it appears and once when it is gone, however often the configuration is read between. Fields:
 * `at`, `path`, `reason` (the problem's message), `hint`.
 */
export function createProblemLog(log: Logger): ProblemLog {
  let known: Known = new Map();
  let knownWarnings: Known = new Map();
  return {
    update(errors, warnings) {
      const now = byIdentity(errors);
      const nowWarnings = byIdentity(warnings);
      let silent = 0;
      const say = (problems: readonly Problem[], write: (fields: Fields) => void): void => {
        const said = spread(problems, maxLines);
        silent += problems.length - said.length;
        for (const problem of said) write(fieldsOf(problem));
      };
      say(newIn(now, known), (fields) => log.error('configuration problem', fields));
      say(newIn(nowWarnings, knownWarnings), (fields) => log.warn('configuration problem', fields));
      const gone = [...newIn(known, now), ...newIn(knownWarnings, nowWarnings)];
      say(gone, (fields) => log.info('configuration problem is gone', fields));
      if (silent > 0) log.warn('further configuration problems not logged', { count: silent });
      known = now;
      knownWarnings = nowWarnings;
    },
  };
}

type Fields = Readonly<Record<string, string>>;

/** `message` is the line's own field. */
function fieldsOf({ message, ...problem }: Problem): Fields {
  return { ...problem, reason: message };
}

function newIn(now: Known, before: Known): readonly Problem[] {
  return [...now].flatMap(([key, problem]) => (before.has(key) ? [] : [problem]));
}

/** Without line and column: a problem that moves because of a line above it is the same problem. */
function byIdentity(problems: readonly Problem[]): Known {
  const known = new Map<string, Problem>();
  for (const problem of problems) {
    const { at, path, message } = problem;
    const key = `${at.replace(/:\d+:\d+$/, '')}\0${path}\0${message}`;
    if (!known.has(key)) known.set(key, problem);
  }
  return known;
}
