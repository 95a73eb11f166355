import { kindsOf } from '../diff/change-kinds.ts';
import type { ChangeKind } from '../diff/change-kinds.ts';
import { describeDecision, noticeable } from '../diff/decided.ts';
import type { Decided } from '../diff/decided.ts';
import { fieldChanges } from '../diff/field-changes.ts';
import { HeaderList } from '../routing/header-list.ts';
import type { Arrival } from '../simulation/request.ts';
import type { Simulation } from '../simulation/simulation.ts';
import type { ListenerSnapshot } from '../snapshot/model.ts';
import type { ShadowResult } from '../snapshot/shadow-messages.ts';
import { redactText } from '../telemetry/redaction.ts';
import type { TappedRequest } from '../telemetry/request-tap.ts';
import type { Configuration } from './configuration.ts';

/** `listener`: the candidate does not listen where the request came in. */
export type ShadowChange = ChangeKind | 'listener';

/** What became of one request. */
export interface Comparison {
  /** `namespace/name` of the route that serves it; `_none`: none does. */
  readonly route: string;
  readonly result: ShadowResult;
  /** Absent: it is decided alike. */
  readonly change?: DecisionChange;
}

export interface DecisionChange {
  readonly changes: readonly ShadowChange[];
  /** Costs as much as the comparison: to be asked for what is shown. */
  readonly describe: () => ChangeDescription;
}

/** To be shown: no query, no value of a header, nothing that looks like a token. */
export interface ChangeDescription {
  readonly method: string;
  readonly host: string;
  /** Normalised, without query. */
  readonly path: string;
  /** In a few words. */
  readonly from: string;
  readonly to: string;
  /** What differs: `requestHeaders.x-env[0]`. */
  readonly fields: readonly string[];
}

const maxCharacters = 256;
const maxFields = 10;

/** Decides requests by two configurations and says what differs. Sends nothing and takes no token from any bucket. */
export class Comparer {
  readonly served: Configuration;
  readonly candidate: Configuration;
  /** Name of a served listener → that of the candidate for the same port; undefined: it has none. */
  readonly #listeners: ReadonlyMap<string, string | undefined>;

  constructor(served: Configuration, candidate: Configuration) {
    this.served = served;
    this.candidate = candidate;
    this.#listeners = new Map(
      served.listeners.map((listener) => [listener.name, counterpart(listener, candidate.listeners)]),
    );
  }

  /** A promise only where the request meets something else: most of them do not. */
  compare(request: TappedRequest): Comparison | Promise<Comparison> {
    const arrival = arrivalOf(request);
    const before = this.served.simulator.outlineArrival(arrival);
    const route = before.route ?? '_none';
    const listener = this.#listeners.get(request.listener);
    if (listener === undefined) return { route, result: 'changed', change: this.#unheard(request, arrival) };
    const there = listener === arrival.listener ? arrival : { ...arrival, listener };
    const after = this.candidate.simulator.outlineArrival(there);
    if (after.text === before.text) return { route, result: 'same' };
    return this.#decide(route, arrival, there);
  }

  async #decide(route: string, here: Arrival, there: Arrival): Promise<Comparison> {
    const from = await this.served.simulator.decideArrival(here);
    const to = await this.candidate.simulator.decideArrival(there);
    const before = { simulation: from, entries: this.served.simulator.entries };
    const after = { simulation: to, entries: this.candidate.simulator.entries };
    const kinds = kindsOf(fieldChanges(noticeable(before), noticeable(after)));
    if (kinds.size === 0 || kinds.has('middleware')) {
      // Nobody notices other middlewares by themselves; but a limit or a module is asked when it is served, not here.
      const open = differingNames(stillOpen(before), stillOpen(after));
      if (open.length === 0) return { route, result: 'same' };
      kinds.set(
        'middleware',
        open.map((path) => ({ path })),
      );
    }
    return {
      route,
      result: from.certain && to.certain && !kinds.has('middleware') ? 'changed' : 'uncertain',
      change: {
        changes: [...kinds.keys()],
        describe: () => ({
          method: shown(here.method),
          host: shown(from.host),
          path: shown(from.path),
          from: shown(describeDecision(withoutQuery(from))),
          to: shown(describeDecision(withoutQuery(to))),
          fields: [...kinds.values()]
            .flat()
            .slice(0, maxFields)
            .map(({ path }) => shown(path)),
        }),
      },
    };
  }

  #unheard({ listener, method, target }: TappedRequest, { authority }: Arrival): DecisionChange {
    const port = this.served.listeners.find(({ name }) => name === listener)?.port;
    return {
      changes: ['listener'],
      describe: () => ({
        method: shown(method),
        host: shown(authority),
        path: shown(target.split('?', 1)[0] ?? ''),
        from: `listener ${listener}`,
        to: `nothing listens on port ${port ?? '?'}`,
        fields: [],
      }),
    };
  }
}

function arrivalOf({ tls, headers, ...request }: TappedRequest): Arrival {
  const { method, authority, target, listener, peer } = request;
  const scheme = tls ? 'https' : 'http';
  return { method, scheme, authority, target, headers: new HeaderList([...headers]), listener, peer };
}

/** By the port, and by the address where several have it. */
function counterpart(
  { address, port }: ListenerSnapshot,
  candidates: readonly ListenerSnapshot[],
): string | undefined {
  const same = candidates.filter((candidate) => candidate.port === port);
  return (same.find((candidate) => candidate.address === address) ?? same[0])?.name;
}

/** The middlewares whose answer depends on what cannot be seen here, with the hash of their definitions. */
function stillOpen({ simulation, entries }: Decided): ReadonlyMap<string, string | undefined> {
  return new Map(
    simulation.steps
      .filter(({ type, decision }) => type === 'rateLimit' || decision.outcome === 'unknown')
      .map(({ name, key }) => [name, entries.get(key)?.hash]),
  );
}

function differingNames(
  one: ReadonlyMap<string, string | undefined>,
  other: ReadonlyMap<string, string | undefined>,
): readonly string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((name) => one.get(name) !== other.get(name));
}

/** Queries carry secrets. */
function withoutQuery(simulation: Simulation): Simulation {
  const { outcome } = simulation;
  return outcome.kind === 'forward' ? { ...simulation, outcome: { ...outcome, query: '' } } : simulation;
}

function shown(text: string): string {
  const clean = redactText(text);
  return clean.length > maxCharacters ? `${clean.slice(0, maxCharacters)}…` : clean;
}
