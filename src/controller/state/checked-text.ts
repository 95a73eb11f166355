import { createHash } from 'node:crypto';
import type { Entry } from '../../snapshot/model.ts';

/** What a file of the state directory is, and by which rules it is read. */
export interface StateFormat {
  readonly format: string;
  readonly version: number;
}

/** One line that says what follows and how to check it, then JSON. */
export function encodeChecked({ format, version }: StateFormat, value: object): string {
  const body = JSON.stringify(value);
  return `${JSON.stringify({ format, version, sha256: hashOf(body) })}\n${body}\n`;
}

/** The value; undefined: not JSON. @throws Error that says in words what is wrong. */
export function decodeChecked({ format, version }: StateFormat, text: string): unknown {
  const end = text.indexOf('\n');
  const head = parse(text.slice(0, Math.max(end, 0)));
  if (!isFields(head) || head['format'] !== format) throw new Error('is not a state file');
  if (head['version'] !== version)
    throw new Error(`has version ${String(head['version'])}; this program reads ${version}`);
  const body = text.slice(end + 1).trimEnd();
  if (head['sha256'] !== hashOf(body)) throw new Error('is damaged: its checksum is wrong');
  return parse(body);
}

export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isEntry(value: unknown): value is Entry {
  return isFields(value) && ['key', 'hash', 'json'].every((field) => typeof value[field] === 'string');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
