import type { Document } from '../store/document.ts';
import type { MiddlewareFault } from './middleware.ts';
import type { SimilarNames } from './similar-names.ts';
import type { FailedEntry, Outcome } from './translation.ts';

/** A middleware that cannot be used, seen from who uses it. */
export interface Fault extends MiddlewareFault {
  /** Field path in the document that asks for it. */
  readonly at: string;
  /** Key of a resource that is not there. */
  readonly missing?: string;
}

/** Workers refused the definition. */
export function failedOutcome(
  accepted: Document,
  failure: FailedEntry,
  serving: Outcome['serving'],
  path = '',
): Outcome {
  const { code, message } = failure;
  const at = path === '' ? accepted.at : accepted.locate(path);
  const problems = [{ at, path, message: `${code}: ${message}` }];
  return { serving, reason: 'PrepareFailed', resolved: true, problems, failure: { code, message } };
}

/** Middlewares are missing; `similar` says what was meant, and is asked anew each time: names come and go. */
export function faultsOutcome(
  accepted: Document,
  faults: readonly Fault[],
  serving: Outcome['serving'],
  similar: Pick<SimilarNames, 'hintFor'>,
): Outcome {
  const problems = faults.map(({ at, message, missing }) => {
    const hint = missing === undefined ? undefined : similar.hintFor(missing);
    return { at: accepted.locate(at), path: at, message, ...(hint !== undefined && { hint }) };
  });
  const reason = faults[0]?.reason ?? 'MiddlewareMissing';
  return { serving, reason, resolved: false, problems };
}

/** Field path of something inside a block. */
export function joinPath(base: string, path: string): string {
  return path === '' ? base : path.startsWith('[') ? `${base}${path}` : `${base}.${path}`;
}
