import type { Document } from '../store/document.ts';
import type { MiddlewareFault } from './middleware.ts';
import type { FailedEntry, Outcome } from './translation.ts';

/** A middleware that cannot be used, seen from who uses it. */
export interface Fault extends MiddlewareFault {
  /** Field path in the document that asks for it. */
  readonly at: string;
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

/** Middlewares are missing. */
export function faultsOutcome(
  accepted: Document,
  faults: readonly Fault[],
  serving: Outcome['serving'],
): Outcome {
  const problems = faults.map(({ at, message }) => ({ at: accepted.locate(at), path: at, message }));
  const reason = faults[0]?.reason ?? 'MiddlewareMissing';
  return { serving, reason, resolved: false, problems };
}

/** Field path of something inside a block. */
export function joinPath(base: string, path: string): string {
  return path === '' ? base : path.startsWith('[') ? `${base}${path}` : `${base}.${path}`;
}
