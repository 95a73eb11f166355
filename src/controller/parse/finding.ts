import type { FieldPath } from './field-path.ts';
import { formatPath } from './field-path.ts';

/** Something wrong with a document, before its place is known. */
export interface Finding {
  readonly path: FieldPath;
  /** Whose place is shown: that of the key, or that of the value (of the nearest one that exists). */
  readonly on: 'key' | 'value';
  readonly message: string;
  readonly hint?: string;
}

/** A finding with its place in the document: both numbers count from 1, `line` from the document's first line. */
export interface PlacedFinding {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

export function placeFinding(
  { path, message, hint }: Finding,
  place: { readonly line: number; readonly column: number },
): PlacedFinding {
  return { ...place, path: formatPath(path), message, ...(hint === undefined ? {} : { hint }) };
}
