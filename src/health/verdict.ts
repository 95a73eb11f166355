/** What is known of an endpoint: the verdict, and how many results in a row spoke against it. */
export interface Verdict {
  readonly healthy: boolean;
  readonly against: number;
  /** No result yet: the first one decides alone. */
  readonly fresh: boolean;
}

export interface Thresholds {
  /** Good results in a row that make an unhealthy endpoint healthy. */
  readonly healthy: number;
  /** Bad results in a row that make a healthy endpoint unhealthy. */
  readonly unhealthy: number;
}

/**
 * A new endpoint gets traffic at once (as in nginx and Traefik: a reload must not wait for checks), but its first bad
 * result takes it out (as in HAProxy: "up, but will fall down at first failure").
 */
export const newVerdict: Verdict = { healthy: true, against: 0, fresh: true };

export function judge(verdict: Verdict, good: boolean, thresholds: Thresholds): Verdict {
  if (good === verdict.healthy) return { healthy: good, against: 0, fresh: false };
  const against = verdict.against + 1;
  const needed = good ? thresholds.healthy : thresholds.unhealthy;
  if (verdict.fresh || against >= needed) return { healthy: good, against: 0, fresh: false };
  return { healthy: verdict.healthy, against, fresh: false };
}
