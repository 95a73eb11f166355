import { createHash } from 'node:crypto';

/** An accepted document as it was written. */
export interface StateDocument {
  /** Which `--config`, counted from 0. */
  readonly source: number;
  /** Path relative to it; empty: the `--config` is the file. */
  readonly file: string;
  /** Lines of the file before it. */
  readonly linesBefore: number;
  readonly text: string;
  /** Resources of it that were accepted: a List may hold others. */
  readonly keys: readonly string[];
}

/** What outlives the process. Holds no secret: documents refer to them. */
export interface State {
  /** Unix milliseconds. */
  readonly savedAt: number;
  readonly documents: readonly StateDocument[];
  /** Resource key → since when an older version is served, Unix milliseconds. */
  readonly fallbackSince: Readonly<Record<string, number>>;
}

const format = 'mgateway-state';
const version = 1;

/** One line that says what follows and how to check it, then JSON. */
export function encodeState(state: State): string {
  const body = JSON.stringify(state);
  return `${JSON.stringify({ format, version, sha256: hashOf(body) })}\n${body}\n`;
}

/** @throws Error that says in words what is wrong. */
export function decodeState(text: string): State {
  const end = text.indexOf('\n');
  const head = parse(text.slice(0, Math.max(end, 0)));
  if (!isFields(head) || head['format'] !== format) throw new Error('is not a state file');
  if (head['version'] !== version)
    throw new Error(`has version ${String(head['version'])}; this program reads ${version}`);
  const body = text.slice(end + 1).trimEnd();
  if (head['sha256'] !== hashOf(body)) throw new Error('is damaged: its checksum is wrong');
  const state = parse(body);
  if (!isState(state)) throw new Error('is damaged: it does not hold what it should');
  return state;
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

function isState(value: unknown): value is State {
  return (
    isFields(value) &&
    typeof value['savedAt'] === 'number' &&
    Array.isArray(value['documents']) &&
    value['documents'].every(isDocument) &&
    isFields(value['fallbackSince']) &&
    Object.values(value['fallbackSince']).every((since) => typeof since === 'number')
  );
}

function isDocument(value: unknown): value is StateDocument {
  return (
    isFields(value) &&
    Number.isInteger(value['source']) &&
    typeof value['file'] === 'string' &&
    Number.isInteger(value['linesBefore']) &&
    typeof value['text'] === 'string' &&
    Array.isArray(value['keys']) &&
    value['keys'].every((key) => typeof key === 'string')
  );
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
