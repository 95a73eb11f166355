import type { Stored } from '../store/store.ts';
import type { Outcome } from '../translate/translation.ts';

export interface Condition {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Programmed' | 'Fallback';
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
  /** Of a `Fallback` that holds: since when, Unix seconds. */
  readonly since?: number;
  /** Generation that was served when this was decided. */
  readonly observedGeneration: number;
}

export type ResourceState = 'accepted' | 'refused' | 'fallback' | 'failed';

/** One word for a resource, as counted in `config_resources`. */
export function stateOf(stored: Stored, outcome: Outcome | undefined): ResourceState {
  if (outcome?.failure !== undefined) return 'failed';
  if (stored.accepted === undefined) return 'refused';
  if (outcome?.serving === 'none' || outcome?.serving === 'unsecured') return 'refused';
  if (stored.fallback !== undefined || outcome?.serving === 'lastGood') return 'fallback';
  return 'accepted';
}

/** `programmed`: every worker serves what the translation made of it. */
export function conditionsOf(
  stored: Stored,
  outcome: Outcome | undefined,
  programmed: boolean,
  observedGeneration: number,
  /** Generation that is pinned, if one is. */
  pinned?: number,
): readonly Condition[] {
  const condition = (
    type: Condition['type'],
    holds: boolean,
    words: { readonly reason: string; readonly message?: string | undefined },
  ): Condition => ({
    type,
    status: holds ? 'True' : 'False',
    reason: words.reason,
    message: words.message ?? '',
    observedGeneration,
  });
  const refusal = stored.problems[0]?.message;
  const trouble = outcome?.problems[0]?.message;
  const accepted = stored.accepted !== undefined && stored.fallback === undefined;
  const resolved = stored.accepted !== undefined && outcome?.resolved !== false;
  const old = stored.fallback !== undefined || outcome?.serving === 'lastGood';
  return [
    condition('Accepted', accepted, {
      reason: accepted ? 'Accepted' : (stored.fallback ?? 'DocumentRefused'),
      message: refusal,
    }),
    condition('ResolvedRefs', resolved, {
      reason: resolved ? 'ResolvedRefs' : (outcome?.reason ?? 'DocumentRefused'),
      message: resolved ? undefined : (trouble ?? refusal),
    }),
    condition(
      'Programmed',
      programmed && isServedAsWritten(stored, outcome),
      programmedWords(stored, outcome, programmed, pinned),
    ),
    condition('Fallback', old, {
      reason: old ? (stored.fallback ?? outcome?.reason ?? 'LastGood') : 'Current',
      message: old ? (refusal ?? trouble) : undefined,
    }),
  ];
}

function isServedAsWritten(stored: Stored, outcome: Outcome | undefined): boolean {
  if (stored.accepted === undefined) return false;
  return outcome === undefined || outcome.serving === 'current' || outcome.serving === 'lastGood';
}

function programmedWords(
  stored: Stored,
  outcome: Outcome | undefined,
  programmed: boolean,
  pinned: number | undefined,
): { readonly reason: string; readonly message?: string | undefined } {
  if (stored.accepted === undefined)
    return { reason: 'DocumentRefused', message: stored.problems[0]?.message };
  if (outcome !== undefined && !isServedAsWritten(stored, outcome)) {
    return { reason: outcome.reason ?? 'NotServed', message: outcome.problems[0]?.message };
  }
  if (programmed) return { reason: 'Programmed' };
  return pinned !== undefined
    ? { reason: 'Pinned', message: `generation ${pinned} is pinned` }
    : { reason: 'GenerationRefused', message: 'an older generation is served' };
}
