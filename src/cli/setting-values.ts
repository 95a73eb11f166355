import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parseListenAddress } from '../admin/listen-address.ts';
import { parseDuration, parseSize } from '../snapshot/units.ts';

/** `HOST:PORT`, `[IPv6]:PORT` or `:PORT`, as it was written. */
export function checkAddress(text: string): string {
  try {
    parseListenAddress(text);
  } catch {
    throw new InvalidArgumentError('Give HOST:PORT, for example 127.0.0.1:9901 or [::1]:9901.');
  }
  return text;
}

/** Timers hold no more than 24 days, and then end at once. */
const longestTime = '168h';

/** Milliseconds of `250ms`, `5s`, `1m30s`. */
export function parseTime(text: string): number {
  const ms = durationOf(text);
  if (ms > parseDuration(longestTime))
    throw new InvalidArgumentError(`Give a duration of at most ${longestTime}.`);
  return ms;
}

/** A duration as it was written. */
export function checkTime(text: string): string {
  durationOf(text);
  return text;
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError('Give a duration, for example 500ms, 5s or 1m30s.');
  }
}

/** A whole number from 1. */
export function parseGeneration(text: string): number {
  const number = Number(text);
  if (!/^\d{1,15}$/.test(text) || number < 1) throw new InvalidArgumentError('Give a number from 1.');
  return number;
}

const maxFileSize = '256MiB';

/** Bytes of `512KiB`, `64MiB`. */
export function parseFileSize(text: string): number {
  const hint = `Give a size from 1KiB to ${maxFileSize}, for example 64MiB.`;
  let bytes;
  try {
    bytes = parseSize(text);
  } catch {
    throw new InvalidArgumentError(hint);
  }
  if (bytes < 1024 || bytes > parseSize(maxFileSize)) throw new InvalidArgumentError(hint);
  return bytes;
}

/** A whole number from 1. */
export function parseFileCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count < 1)
    throw new InvalidArgumentError('Give a number from 1 to 9999999.');
  return count;
}

/** A whole number from 1, or `auto`. */
export function parseWorkers(text: string): number | 'auto' {
  if (text === 'auto') return 'auto';
  const count = Number(text);
  if (!/^\d{1,3}$/.test(text) || count < 1 || count > 128) {
    throw new InvalidArgumentError('Give a number from 1 to 128, or auto.');
  }
  return count;
}

/** The environment variable of a switch. */
export function readSwitch(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  const value = env[name] ?? '';
  if (/^(1|true|yes|on)$/i.test(value)) return true;
  if (/^(|0|false|no|off)$/i.test(value)) return false;
  throw new InvalidArgumentError(`${name}=${value} is invalid. Give true or false.`);
}

export function parsePath(text: string): string {
  // Not the directory that the program happens to be in.
  if (text === '') throw new InvalidArgumentError('Give a path.');
  return resolve(text);
}
