import type { ShadowDropReason, ShadowResult } from '../snapshot/shadow-messages.ts';
import type { CandidateStatus } from './candidate.ts';
import type { ChangeDescription, ShadowChange } from './comparer.ts';

/** What `/api/v1/shadow` answers; `enabled: false` alone where nothing was given to compare with. */
export interface ShadowReport {
  readonly enabled: true;
  readonly candidate: CandidateStatus;
  readonly served: { readonly generation: number };
  /** False: the candidate has problems, or nothing of it or of what is served is known yet. */
  readonly comparing: boolean;
  /** Unix seconds: since when both have been what they are. All figures count from then. */
  readonly since: number;
  readonly requests: Readonly<Record<ShadowResult, number>>;
  /** Not compared, by the reason. */
  readonly dropped: Readonly<Record<ShadowDropReason, number>>;
  /** Those with most changes first. */
  readonly routes: readonly RouteReport[];
}

export interface RouteReport extends Readonly<Record<ShadowResult, number>> {
  readonly route: string;
  /** A request may change in several ways. */
  readonly changes: Readonly<Partial<Record<ShadowChange, number>>>;
  /** A request of the last second in which there was one, of each combination of changes. */
  readonly examples: readonly Example[];
}

export interface Example extends ChangeDescription {
  readonly changes: readonly ShadowChange[];
  /** Requests with this combination of changes. */
  readonly count: number;
  readonly certain: boolean;
  /** Unix seconds. */
  readonly time: number;
}
