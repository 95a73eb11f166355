import type { LogRecord } from '../snapshot/messages.ts';
import { visible } from './visible.ts';

const colours = { error: 31, warn: 33, info: 32, debug: 36 } as const;

/** A record for a person: `12:34:56.789 INFO  message key=value`. Fields are printed as JSON where a word is not enough. */
export function prettyLine({ level, message, time, fields }: LogRecord, colour: boolean): string {
  const clock = new Date(time).toISOString().slice(11, 23);
  const name = level.toUpperCase().padEnd(5);
  const shownLevel = colour ? `\u001b[${colours[level]}m${name}\u001b[0m` : name;
  const shownFields = Object.entries(fields ?? {}).map(
    ([key, value]) => ` ${visible(key)}=${fieldText(value)}`,
  );
  return `${clock} ${shownLevel} ${visible(message)}${shownFields.join('')}`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@*+,-]+$/.test(value)) return value;
  return visible(JSON.stringify(value) ?? 'undefined');
}
