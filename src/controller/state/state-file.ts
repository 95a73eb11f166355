import type { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
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

/** A state whose documents are made while it is written. */
export interface WrittenState extends Omit<State, 'documents'> {
  readonly documents: Iterable<StateDocument>;
}

/** One line that says what follows and how to check it, then JSON. */
export function encodeState(state: WrittenState): Buffer {
  return encodeChecked(format, jsonOf(state));
}

/** Equal ones: the states are the same, but for the time. */
export function printOf(state: Omit<WrittenState, 'savedAt'>): string {
  const hash = createHash('sha256');
  for (const piece of jsonOf({ ...state, savedAt: 0 })) hash.update(piece);
  return hash.digest('base64');
}

function* jsonOf({ documents, ...rest }: WrittenState): Generator<string> {
  let before = `${JSON.stringify(rest).slice(0, -1)},"documents":[`;
  for (const document of documents) {
    yield before;
    yield JSON.stringify(document);
    before = ',';
  }
  yield before === ',' ? ']}' : `${before}]}`;
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
