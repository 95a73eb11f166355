import type { SimulationRequest } from '../simulation/request.ts';
import type { Simulation } from '../simulation/simulation.ts';
import type { Simulator } from '../simulation/simulator.ts';
import { fieldChanges } from './field-changes.ts';
import type { FieldChange } from './field-changes.ts';

/** A request that would be decided differently. */
export interface RequestChange {
  readonly method: string;
  readonly url: string;
  /** In a few words. */
  readonly from: string;
  readonly to: string;
  readonly fields: readonly FieldChange[];
  /** False: a user's module or a secret has a say that cannot be told here. */
  readonly certain: boolean;
}

/**
 * Undefined: it is decided alike. Limiters are told apart by their key, not by their levels.
 * @throws SimulationRequestError where the request could not be sent at all.
 */
export async function requestChange(
  request: SimulationRequest,
  before: Simulator,
  after: Simulator,
): Promise<RequestChange | undefined> {
  const [from, to] = [await before.decide(request), await after.decide(request)];
  const fields = fieldChanges(decisionOf(from), decisionOf(to));
  if (fields.length === 0) return undefined;
  const { method, url } = request;
  return { method, url, from: words(from), to: words(to), fields, certain: from.certain && to.certain };
}

/** What a client or an upstream could notice. */
function decisionOf({ route, steps, outcome }: Simulation): Readonly<Record<string, unknown>> {
  return {
    route: route?.name,
    middlewares: Object.fromEntries(steps.map(({ name, decision }) => [name, decision.notes])),
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

function words({ route, outcome }: Simulation): string {
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
    fields.set(name, [...(fields.get(name) ?? []), raw[i + 1] ?? '']);
  }
  return Object.fromEntries(fields);
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
