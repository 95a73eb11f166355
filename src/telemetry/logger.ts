import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { LogLevel, LogRecord } from '../snapshot/messages.ts';
import { openLineSink } from './line-sink.ts';
import type { Logger } from './log.ts';
import { logLevels } from './log-levels.ts';
import { prettyLine } from './pretty-line.ts';
import { redactFields, redactText } from './redaction.ts';
import { visible } from './visible.ts';

export interface RootLoggerOptions {
  readonly level: LogLevel;
  /** Default: pretty where the stream is a terminal, else JSON, one object a line. */
  readonly format?: 'json' | 'pretty';
  /** Default: process.stderr. */
  readonly stream?: Writable & { readonly isTTY?: boolean };
  /** Unix milliseconds; default: Date.now. */
  readonly clock?: () => number;
  readonly maxBufferedBytes?: number;
  /** Lines lost because the reader was too slow. */
  readonly onDropped?: (lines: number) => void;
}

/** The one logger that writes; it lives in the main thread. */
export interface RootLogger extends Logger {
  /** Records of other threads, with their own times. */
  write(records: readonly LogRecord[]): void;
  /** Resolves when everything logged so far has left the process. */
  close(): Promise<void>;
}

const defaultMaxBufferedBytes = 8 * 1024 * 1024;

/**
 * JSON lines are `{"time":"<ISO 8601>","level":…,"message":…, …fields}`; a field that takes the name of one of these three
 * is printed as `fields.<name>`. Secrets are redacted, also in records of other threads.
 */
export function createRootLogger(options: RootLoggerOptions): RootLogger {
  const stream = options.stream ?? process.stderr;
  const clock = options.clock ?? Date.now;
  const isTerminal = stream.isTTY === true;
  const pretty = (options.format ?? (isTerminal ? 'pretty' : 'json')) === 'pretty';
  const sink = openLineSink({
    stream,
    maxBufferedBytes: options.maxBufferedBytes ?? defaultMaxBufferedBytes,
    onDropped: options.onDropped ?? (() => {}),
  });
  const winston = createLogger({
    levels: logLevels,
    level: options.level,
    format: format.printf((info) => {
      const record = info['record'] as LogRecord;
      return pretty ? prettyLine(record, isTerminal) : jsonLine(record);
    }),
    transports: [
      new transports.Stream({
        eol: '\n',
        stream: new Writable({
          decodeStrings: false,
          write(line: string, _encoding, done) {
            sink.write(line, 1);
            done();
          },
        }),
      }),
    ],
  });

  const put = ({ level, message, time, fields }: LogRecord): void => {
    const record: LogRecord = {
      level,
      time,
      message: redactText(message),
      ...(fields === undefined ? {} : { fields: redactFields(fields) }),
    };
    winston.log({ level, message: record.message, record });
  };
  const at = (level: LogLevel): Logger['info'] => {
    return (message, fields) =>
      put({ level, message, time: clock(), ...(fields === undefined ? {} : { fields }) });
  };

  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    write: (records) => records.forEach(put),
    async close() {
      const finished = new Promise((resolve) => winston.once('finish', resolve));
      winston.end();
      await finished;
      await sink.close();
    },
  };
}

function jsonLine({ time, level, message, fields }: LogRecord): string {
  // Without a prototype, so that a field called `__proto__` is but a field.
  const line = Object.create(null) as Record<string, unknown>;
  Object.assign(line, { time: new Date(time).toISOString(), level, message });
  for (const [name, value] of Object.entries(fields ?? {})) {
    line[Object.hasOwn(line, name) ? `fields.${name}` : name] = value;
  }
  return visible(JSON.stringify(line));
}
