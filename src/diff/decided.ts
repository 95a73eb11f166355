import { fromFieldValue } from '../routing/field-value.ts';
import type { Simulation } from '../simulation/simulation.ts';
import type { Entry } from '../snapshot/model.ts';

/** A request decided by a set of entries. */
export interface Decided {
  readonly simulation: Simulation;
  readonly entries: ReadonlyMap<string, Entry>;
}

/**
 * What a client or an upstream could notice, to be compared field by field. Limiters are told apart by their key, not by
 * their levels.
 */
export function noticeable({ simulation, entries }: Decided): Readonly<Record<string, unknown>> {
  const { route, steps, outcome } = simulation;
  return {
    route: route?.name,
    middlewares: Object.fromEntries(
      steps.map(({ key, name, decision }) => [
        name,
        // Of what cannot be told only the definition can be compared.
        decision.outcome === 'unknown' ? [...decision.notes, entries.get(key)?.hash] : decision.notes,
      ]),
    ),
    ...(outcome.kind === 'reply'
      ? {
          status: outcome.status,
          code: outcome.code,
          answeredBy: outcome.by?.name,
          headers: outcome.headers,
        }
      : {
          path: outcome.path,
          query: outcome.query,
          requestHeaders: fieldsByName(outcome.headers),
          hostHeader: outcome.hostHeader,
          upstreams: Object.fromEntries(
            outcome.upstreams.map(({ name, probability, endpoints, refusal }) => [
              name,
              {
                share: rounded(probability),
                endpoints: Object.fromEntries(endpoints.map((each) => [each.url, rounded(each.probability)])),
                refusal: refusal?.code,
              },
            ]),
          ),
        }),
  };
}

/** In a few words. */
export function describeDecision({ route, outcome }: Simulation): string {
  const by = route === undefined ? '' : `route ${route.name}: `;
  if (outcome.kind === 'reply') return `${by}${outcome.status} ${outcome.code}`;
  const upstreams = outcome.upstreams.map(({ name, probability }) =>
    probability === 1 ? name : `${name} ${Math.round(probability * 100)}%`,
  );
  const query = outcome.query === '' ? '' : `?${outcome.query}`;
  return `${by}${outcome.path}${query} to ${upstreams.join(', ')}`;
}

function fieldsByName(raw: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const fields = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), fromFieldValue(raw[i + 1] ?? '')]);
  }
  return Object.fromEntries(fields);
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
