import type { LogRecord } from '../snapshot/messages.ts';

const colours = { error: 31, warn: 33, info: 32, debug: 36 } as const;

/** A record for a person: `12:34:56.789 INFO  message key=value`. Fields are printed as JSON where a word is not enough. */
export function prettyLine({ level, message, time, fields }: LogRecord, colour: boolean): string {
  const clock = new Date(time).toISOString().slice(11, 23);
  const name = level.toUpperCase().padEnd(5);
  const shownLevel = colour ? `\u001b[${colours[level]}m${name}\u001b[0m` : name;
  const shownFields = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  return `${clock} ${shownLevel} ${onOneLine(message)}${shownFields.join('')}`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@*+,-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? 'undefined';
}

/** No message can forge a second line or steer the terminal. */
function onOneLine(message: string): string {
  return message.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) =>
    JSON.stringify(character).slice(1, -1),
  );
}
