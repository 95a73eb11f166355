import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Entry } from '../../snapshot/model.ts';

/** What a file of the state directory is, and by which rules it is read. */
export interface StateFormat {
  readonly format: string;
  readonly version: number;
}

const blockCharacters = 64 * 1024;

/** One line that says what follows and how to check it, then JSON, given in pieces: of a large one no text is ever made as a whole. */
export function encodeChecked({ format, version }: StateFormat, json: Iterable<string>): Buffer {
  const hash = createHash('sha256');
  const blocks: Buffer[] = [];
  let block = '';
  const add = (): void => {
    const bytes = Buffer.from(block);
    hash.update(bytes);
    blocks.push(bytes);
    block = '';
  };
  for (const piece of json) {
    block += piece;
    if (block.length >= blockCharacters) add();
  }
  add();
  const head = JSON.stringify({ format, version, sha256: hash.digest('hex') });
  return Buffer.concat([Buffer.from(`${head}\n`), ...blocks, Buffer.from('\n')]);
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
