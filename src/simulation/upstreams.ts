import { refusals } from '../routing/refusals.ts';
import type { Refusal } from '../routing/refusals.ts';
import type { Entry, UpstreamShare, UpstreamSnapshot } from '../snapshot/model.ts';

/** One share of a route's requests. */
export interface SimulatedUpstream {
  /** Key of the entry; null: it does not exist. */
  readonly key: string | null;
  /** Metric label; '' where there is none. */
  readonly name: string;
  /** Of all requests of the route; the sum over all is 1. */
  readonly probability: number;
  /** Those that get something, if all are healthy and equally busy. */
  readonly endpoints: readonly SimulatedEndpoint[];
  /** What this share is answered where it cannot be forwarded. */
  readonly refusal?: Refusal;
}

export interface SimulatedEndpoint {
  /** Origin. */
  readonly url: string;
  /** Place in the upstream's list. */
  readonly index: number;
  /** Of the requests of this upstream. */
  readonly probability: number;
}

/** Where requests go by their weights, without a look at health or load. Empty: nowhere. */
export function simulateUpstreams(
  shares: readonly UpstreamShare[],
  entries: ReadonlyMap<string, Entry>,
): readonly SimulatedUpstream[] {
  const weights = new Map<string | null, number>();
  for (const { key, weight } of shares) {
    const known = key !== null && entries.has(key) ? key : null;
    if (weight > 0) weights.set(known, (weights.get(known) ?? 0) + weight);
  }
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return [...weights].map(([key, weight]) => {
    const probability = weight / total;
    const entry = key === null ? undefined : entries.get(key);
    if (key === null || entry === undefined)
      return { key: null, name: '', probability, endpoints: [], refusal: refusals.upstreamMissing };
    const { name, endpoints } = JSON.parse(entry.json) as UpstreamSnapshot;
    const all = endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0);
    const chosen = endpoints.flatMap(({ url, weight: own }, index) =>
      own > 0 ? [{ url, index, probability: own / all }] : [],
    );
    const refusal = chosen.length === 0 ? { refusal: refusals.noHealthyEndpoint } : {};
    return { key, name, probability, endpoints: chosen, ...refusal };
  });
}
