import type { LogLevel, LogRecord } from '../snapshot/messages.ts';
import type { Logger } from './log.ts';
import { isLogged } from './log-levels.ts';
import { redactFields, redactText } from './redaction.ts';

export interface ThreadLoggerOptions {
  readonly level: LogLevel;
  /** Sends records to main; they are plain data without secrets. */
  readonly post: (records: readonly LogRecord[]) => void;
  /** Unix milliseconds; default: Date.now. */
  readonly clock?: () => number;
}

export interface ThreadLogger extends Logger {
  /** Sends what waits now. */
  flush(): void;
  /** Sends what waits; later records are sent one by one. */
  close(): void;
}

const batchRecords = 64;
const batchMs = 100;
/** More than this in one batch time is a flood that would hurt main; the rest is counted. */
const maxRecordsPerBatchTime = 1_000;

/** The logger of a thread that must not write itself: batches records for main. */
export function createThreadLogger({
  level: threshold,
  post,
  clock = Date.now,
}: ThreadLoggerOptions): ThreadLogger {
  let waiting: LogRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let taken = 0;
  let dropped = 0;
  let closed = false;

  const flush = (): void => {
    if (waiting.length === 0) return;
    const records = waiting;
    waiting = [];
    post(records);
  };
  const endBatchTime = (): void => {
    clearTimeout(timer);
    timer = undefined;
    taken = 0;
    if (dropped > 0) {
      waiting.push({
        level: 'warn',
        message: 'log records dropped',
        fields: { count: dropped },
        time: clock(),
      });
      dropped = 0;
    }
    flush();
  };
  const at = (level: LogLevel): Logger['info'] => {
    if (!isLogged(level, threshold)) return () => {};
    return (message, fields) => {
      if (taken >= maxRecordsPerBatchTime) {
        dropped += 1;
        return;
      }
      taken += 1;
      waiting.push({
        level,
        message: redactText(message),
        time: clock(),
        ...(fields === undefined ? {} : { fields: redactFields(fields) }),
      });
      if (closed) endBatchTime();
      else if (waiting.length >= batchRecords) flush();
      timer ??= closed ? undefined : setTimeout(endBatchTime, batchMs);
    };
  };

  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    flush: endBatchTime,
    close() {
      closed = true;
      endBatchTime();
    },
  };
}
