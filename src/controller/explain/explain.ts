import { fromFieldValue } from '../../routing/field-value.ts';
import { HeaderList } from '../../routing/header-list.ts';
import type { MatchRequest } from '../../routing/rule.ts';
import { findNearLosers, precedenceBetween } from '../../simulation/near-losers.ts';
import type { NearLoser } from '../../simulation/near-losers.ts';
import type { SimulationRequest } from '../../simulation/request.ts';
import { toWire } from '../../simulation/request.ts';
import type { SimulatedRoute, Simulation } from '../../simulation/simulation.ts';
import type { Simulator } from '../../simulation/simulator.ts';
import type { EdgeSnapshot, RouteSnapshot } from '../../snapshot/model.ts';
import { redactText } from '../../telemetry/redaction.ts';
import { describeOutcome } from '../assert/expectation.ts';
import { matchText } from '../status/route-table.ts';
import type { Stored } from '../store/store.ts';
import type { Outcome } from '../translate/translation.ts';
import type { ExplainedLoser, ExplainedMiddleware, ExplainedRoute, Explanation } from './explanation.ts';
import { Places } from './places.ts';
import { redactNamed, redactNote, redactQuery } from './redact.ts';

export interface ExplainContext {
  readonly simulator: Simulator;
  readonly resources: ReadonlyMap<string, Stored>;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

const maxLosers = 10;

/**
 * Decides a request without sending it, and says why.
 * @throws SimulationRequestError where it could not be sent at all.
 */
export async function explain(request: SimulationRequest, context: ExplainContext): Promise<Explanation> {
  const { simulator, resources } = context;
  const simulation = await simulator.decide(request);
  const places = new Places(resources);
  const { method, scheme, host, path, query, outcome, certain } = simulation;
  const snapshot = simulation.route && routeOf(simulator, simulation.route.name);
  const { losers, more } = losersOf(simulation, request, simulator);
  return {
    request: { method, scheme, host, path: redactText(path), query: redactQuery(query) },
    summary: summaryOf(simulation),
    certain,
    ...(simulation.route !== undefined &&
      snapshot !== undefined && { route: explainRoute(simulation.route, snapshot, places, context) }),
    middlewares: snapshot === undefined ? [] : explainMiddlewares(simulation, snapshot, places, simulator),
    ...(outcome.kind === 'reply' && {
      reply: {
        status: outcome.status,
        code: outcome.code,
        detail: outcome.detail,
        ...(outcome.by !== undefined && { by: outcome.by.name }),
        headers: fieldsOf(outcome.headers),
      },
    }),
    ...(outcome.kind === 'forward' &&
      snapshot !== undefined && { forward: explainForward(outcome, snapshot, places, simulator) }),
    nearLosers: losers.map((loser) => explainLoser(loser, simulation, places, simulator)),
    furtherLosers: more,
  };
}

function summaryOf(simulation: Simulation): string {
  const { ambiguity } = simulation;
  const what = describeOutcome(simulation);
  if (ambiguity === undefined) return what;
  const { reading, route } = ambiguity;
  const how = reading === 'slash' ? 'with a slash at its end more or less' : reading.replaceAll('_', ' ');
  return `${what}; read in another way (${how}) it would pass by a middleware of route ${route}`;
}

function explainRoute(
  { name, hostname, matchIndex, captures }: SimulatedRoute,
  snapshot: RouteSnapshot,
  places: Places,
  { outcomes }: ExplainContext,
): ExplainedRoute {
  const match = snapshot.matches[matchIndex];
  const serving = outcomes.get(`Route/${name}`)?.serving;
  const note =
    snapshot.unsecured ??
    (serving === 'lastGood' ? 'its last good version is served, not what is written' : undefined);
  return {
    name,
    hostname,
    matchIndex,
    match: match === undefined ? '' : redactNote(matchText(match)),
    captures: Object.fromEntries(Object.entries(captures).map(([key, value]) => [key, redactText(value)])),
    at: places.of(`Route/${name}`, `spec.matches[${matchIndex}]`),
    ...(note !== undefined && { note }),
  };
}

function explainMiddlewares(
  { steps }: Simulation,
  route: RouteSnapshot,
  places: Places,
  { entries }: Simulator,
): readonly ExplainedMiddleware[] {
  const entry = entries.get('Edge');
  const edge = entry && (JSON.parse(entry.json) as EdgeSnapshot);
  return steps.map(({ key, name, type, decision }, index) => ({
    name,
    type,
    outcome: decision.outcome,
    notes: decision.notes.map(redactNote),
    ...places.middleware(key, index, edge, route),
  }));
}

function explainForward(
  outcome: Extract<Simulation['outcome'], { readonly kind: 'forward' }>,
  route: RouteSnapshot,
  places: Places,
  { entries }: Simulator,
): NonNullable<Explanation['forward']> {
  return {
    path: redactText(outcome.path),
    query: redactQuery(outcome.query),
    headers: outcome.changes.map(({ name, before, after }) => ({
      name,
      before: before.map((value) => redactNamed(name, fromFieldValue(value))),
      after: after.map((value) => redactNamed(name, fromFieldValue(value))),
    })),
    hostHeader: outcome.hostHeader,
    upstreams: outcome.upstreams.map(({ key, name, probability, endpoints, refusal }) => {
      const { at, usedAt, endpoint } = places.upstream(key, route, entries);
      return {
        name: key === null ? '(missing)' : name,
        probability,
        at,
        usedAt,
        endpoints: endpoints.map(({ url, index, probability: own }) => ({
          url,
          probability: probability * own,
          at: endpoint(index),
        })),
        ...(refusal !== undefined && { reply: { status: refusal.status, code: refusal.code } }),
      };
    }),
  };
}

function losersOf(
  { host, path, query, method, route }: Simulation,
  request: SimulationRequest,
  simulator: Simulator,
): ReturnType<typeof findNearLosers> {
  if (path === '') return { losers: [], more: 0 };
  const { headers } = toWire(request);
  const matched: MatchRequest = { host, path, query, method, headers, listener: request.listener };
  const winner = route && { route: route.name, matchIndex: route.matchIndex, hostname: route.hostname };
  return findNearLosers(simulator.pairs(), matched, winner, maxLosers);
}

function explainLoser(
  { route, hostname, matchIndex, failed }: NearLoser,
  { route: winner }: Simulation,
  places: Places,
  simulator: Simulator,
): ExplainedLoser {
  const match = routeOf(simulator, route)?.matches[matchIndex];
  const pairOf = (name: string, index: number, host: string) =>
    simulator
      .pairs()
      .find(({ hostname: own, rule }) => rule.route === name && rule.matchIndex === index && own === host);
  let words: string;
  if (failed.condition === 'precedence') {
    const first = winner && pairOf(winner.name, winner.matchIndex, winner.hostname);
    const second = pairOf(route, matchIndex, hostname);
    const why = first && second ? precedenceBetween(first, second) : 'another route goes first';
    words = `matches too, but is asked later: ${why}`;
  } else {
    const { condition, name = '', expected, absent } = failed;
    const wanted = name === '' ? expected : redactNamed(name, expected);
    const subject = name === '' ? condition : `${condition} ${name}`;
    words = `${subject} ${absent === true ? 'is absent, must be' : 'is not'} ${wanted}`;
  }
  return {
    route,
    hostname,
    match: match === undefined ? '' : redactNote(matchText(match)),
    failed: words,
    at: places.of(`Route/${route}`, `spec.matches[${matchIndex}]`),
  };
}

function routeOf({ entries }: Simulator, name: string): RouteSnapshot | undefined {
  const entry = entries.get(`Route/${name}`);
  return entry && (JSON.parse(entry.json) as RouteSnapshot);
}

function fieldsOf(raw: readonly string[]): readonly { readonly name: string; readonly value: string }[] {
  const { raw: flat } = new HeaderList([...raw]);
  return flat.flatMap((name, i) =>
    i % 2 === 0
      ? [{ name: name.toLowerCase(), value: redactNamed(name, fromFieldValue(flat[i + 1] ?? '')) }]
      : [],
  );
}
