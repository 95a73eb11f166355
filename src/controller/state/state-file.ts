import { decodeChecked, encodeChecked, isFields } from './checked-text.ts';

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

const format = { format: 'mgateway-state', version: 1 };

/** One line that says what follows and how to check it, then JSON. */
export function encodeState(state: State): string {
  return encodeChecked(format, state);
}

/** @throws Error that says in words what is wrong. */
export function decodeState(text: string): State {
  const state = decodeChecked(format, text);
  if (!isState(state)) throw new Error('is damaged: it does not hold what it should');
  return state;
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
