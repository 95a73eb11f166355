import type { Claims } from '../middleware/claims.ts';
import type { Exchange, LocalReply } from '../middleware/contract.ts';
import { decidePipeline } from '../middleware/decide-pipeline.ts';
import { toForwardedHead } from '../routing/forwarded-head.ts';
import { clientAddress, compileTrusted } from '../routing/forwarded.ts';
import type { TrustedProxies } from '../routing/forwarded.ts';
import { compareHostnames } from '../routing/precedence.ts';
import type { Pair } from '../routing/precedence.ts';
import { refusals } from '../routing/refusals.ts';
import { routeRequest } from '../routing/route-request.ts';
import type { RoutedRequest } from '../routing/route-request.ts';
import { RouteError } from '../routing/rule.ts';
import { RoutingTable } from '../routing/table.ts';
import { changedKeys } from '../snapshot/changed-keys.ts';
import type { EdgeSnapshot, Entry, RouteSnapshot } from '../snapshot/model.ts';
import { buildDry } from './dry-middleware.ts';
import type { DryMiddleware, DrySurroundings } from './dry-middleware.ts';
import { headerChanges } from './header-changes.ts';
import { toWire } from './request.ts';
import type { Arrival, SimulationRequest } from './request.ts';
import type { SimulatedOutcome, SimulatedStep, Simulation } from './simulation.ts';
import { simulateUpstreams } from './upstreams.ts';
import type { SimulatedUpstream } from './upstreams.ts';

/** Stands for the id that every request gets. */
const requestId = 'assigned-by-the-gateway';

const noEdge: Pick<EdgeSnapshot, 'middlewares' | 'trustedProxies' | 'unsecured'> = {
  middlewares: [],
  trustedProxies: [],
};

export interface SimulatorOptions {
  /** Types of middlewares that are passed by: `rateLimit`. */
  readonly skip?: ReadonlySet<string>;
}

/** What a request meets, before anything is decided. */
export interface Outline {
  /** `namespace/name`; undefined: none takes it. */
  readonly route: string | undefined;
  /** Equal ones, of two sets of entries too: the request is decided alike. */
  readonly text: string;
}

/** Decides requests as a gateway that serves these entries would, and sends nothing. */
export interface Simulator {
  readonly entries: ReadonlyMap<string, Entry>;
  /** @throws SimulationRequestError where the request could not be sent at all. */
  decide(request: SimulationRequest, options?: SimulatorOptions): Promise<Simulation>;
  /** The same for a request as it came; its headers stay as they are. */
  decideArrival(arrival: Arrival, claims?: Claims, options?: SimulatorOptions): Promise<Simulation>;
  /**
   * All that a request is decided by, in short: one look into the table. As long as it is the same, `decide` says the same; but
   * for tokens, which expire.
   * @throws SimulationRequestError
   */
  outline(request: SimulationRequest): string;
  outlineArrival(arrival: Arrival): Outline;
  /** Every (hostname, match) pair in the order in which they are asked. */
  pairs(): readonly Pair<RouteSnapshot>[];
}

const withoutKeys: DrySurroundings = {
  now: Date.now,
  keys: { get: () => undefined, refresh: () => Promise.resolve() },
};

/** `previous`: a simulator of entries that are mostly the same; what is common to both is not built again. */
export function createSimulator(
  entries: ReadonlyMap<string, Entry>,
  previous?: Simulator,
  around: DrySurroundings = withoutKeys,
): Simulator {
  return new EntrySimulator(entries, previous instanceof EntrySimulator ? previous : undefined, around);
}

class EntrySimulator implements Simulator {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly table: RoutingTable<RouteSnapshot>;
  /** Built when first met. */
  private readonly middlewares = new Map<string, DryMiddleware>();
  /** Route → what decides its requests; filled when first met. */
  private readonly definitions = new Map<string, string>();
  /** Route → where its requests go; filled when first met. */
  private readonly splits = new Map<string, readonly SimulatedUpstream[]>();
  private readonly edge: typeof noEdge;
  private readonly trusted: TrustedProxies;
  private readonly around: DrySurroundings;
  private ranked: readonly Pair<RouteSnapshot>[] | undefined;

  constructor(
    entries: ReadonlyMap<string, Entry>,
    previous: EntrySimulator | undefined,
    around: DrySurroundings,
  ) {
    this.entries = entries;
    this.around = around;
    this.table = tableOf(entries, previous);
    for (const [key, built] of previous?.middlewares ?? [])
      if (entries.get(key)?.hash === built.hash) this.middlewares.set(key, built);
    const edge = entries.get('Edge');
    this.edge = edge === undefined ? noEdge : (JSON.parse(edge.json) as EdgeSnapshot);
    this.trusted = compileTrusted(this.edge.trustedProxies);
  }

  pairs(): readonly Pair<RouteSnapshot>[] {
    return (this.ranked ??= this.table.pairs());
  }

  async decide(request: SimulationRequest, options?: SimulatorOptions): Promise<Simulation> {
    return this.decideArrival(toArrival(request), request.claims, options);
  }

  outline(request: SimulationRequest): string {
    return this.outlineArrival(toArrival(request)).text;
  }

  outlineArrival(arrival: Arrival): Outline {
    const { match, refusal, ambiguity } = routeRequest(this.table, arrival);
    if (match === undefined)
      return { route: undefined, text: JSON.stringify([refusal?.code, refusal?.headers, ambiguity]) };
    const { route, matchIndex, target } = match;
    let definition = this.definitions.get(route);
    if (definition === undefined) this.definitions.set(route, (definition = this.definitionOf(target)));
    return { route, text: `${matchIndex} ${definition}` };
  }

  async decideArrival(
    arrival: Arrival,
    claims?: Claims,
    { skip }: SimulatorOptions = {},
  ): Promise<Simulation> {
    const { method, scheme, authority, peer, headers: sent } = arrival;
    const headers = sent.clone();
    const routed = routeRequest(this.table, arrival);
    const { host, path, query, match } = routed;
    const client = clientAddress(peer, headers.getAll('x-forwarded-for'), this.trusted);
    const facts = { method, scheme, host, path, query, clientAddress: client };
    if (match === undefined) return { ...facts, ...unrouted(routed) };
    const snapshot = match.target;
    const route = {
      name: snapshot.name,
      hostname: hostnameFor(snapshot, host),
      matchIndex: match.matchIndex,
      captures: { ...match.captures },
    };
    const keys = [...this.edge.middlewares, ...snapshot.middlewares];
    const reason = this.whyUnsecured(snapshot, keys);
    if (reason !== undefined)
      return { ...facts, route, steps: [], certain: true, outcome: replied({ ...reason, headers: [] }) };

    const trusted = this.trusted.has(peer);
    const givenId = trusted ? headers.get('x-request-id') : undefined;
    const id = givenId === undefined || givenId === '' ? requestId : givenId;
    toForwardedHead(headers, { peer, trusted, scheme, authority }, id === givenId ? undefined : id);
    // No spread: before other fields it takes ten times as long as all of them.
    const probe: Exchange = {
      clientAddress: client,
      scheme,
      method,
      host,
      path,
      query,
      requestId: id,
      matchedPath: path,
      route: snapshot.name,
      generation: 0,
      captures: match.captures,
      matchedPrefix: match.prefix,
      requestHeaders: headers,
      claims,
    };
    const { steps, outcome } = await this.runMiddlewares(keys, probe, skip);
    return {
      method,
      scheme,
      host,
      path,
      query,
      clientAddress: client,
      route,
      steps,
      certain: steps.every(({ decision }) => decision.outcome !== 'unknown'),
      outcome: outcome ?? this.forward(snapshot, probe, arrival),
    };
  }

  private definitionOf({ name, middlewares, upstreams }: RouteSnapshot): string {
    const { middlewares: first, trustedProxies, unsecured } = this.edge;
    const keys = [`Route/${name}`, ...first, ...middlewares, ...upstreams.map(({ key }) => key ?? '')];
    const hashes = keys.map((key) => `${key} ${this.entries.get(key)?.hash ?? ''}`);
    return JSON.stringify([hashes, trustedProxies, unsecured]);
  }

  private whyUnsecured(
    route: RouteSnapshot,
    keys: readonly string[],
  ): (typeof refusals)['routeNotSecured'] | undefined {
    if (route.unsecured !== undefined)
      return route.guard === undefined ? refusals.routeNotSecured : refusals.routeGuarded;
    const isOpen = this.edge.unsecured !== undefined || keys.some((key) => !this.entries.has(key));
    return isOpen ? refusals.routeNotSecured : undefined;
  }

  private async runMiddlewares(
    keys: readonly string[],
    probe: Exchange,
    skip: ReadonlySet<string> | undefined,
  ): Promise<{ readonly steps: readonly SimulatedStep[]; readonly outcome: SimulatedOutcome | undefined }> {
    const built = await Promise.all(keys.map((key) => this.middlewareOf(key)));
    const instances = built.map(({ name, type, middleware }) =>
      skip?.has(type) === true ? { name, middleware: passedBy } : { name, middleware },
    );
    const decided = await decidePipeline(instances, probe);
    const steps = decided.steps.map(({ name, decision }, index) => ({
      key: keys[index] as string,
      name,
      type: built[index]?.type ?? '',
      decision,
    }));
    const { answered } = decided;
    if (answered === undefined) return { steps, outcome: undefined };
    const by = { name: answered.by, type: built[answered.index]?.type ?? '' };
    return { steps, outcome: replied(answered.reply, by) };
  }

  private async middlewareOf(key: string): Promise<DryMiddleware> {
    const known = this.middlewares.get(key);
    if (known !== undefined) return known;
    const built = await buildDry(this.entries.get(key) as Entry, this.around);
    this.middlewares.set(key, built);
    return built;
  }

  private forward(
    route: RouteSnapshot,
    { path, query, requestHeaders }: Exchange,
    { authority, headers: sent }: Arrival,
  ): SimulatedOutcome {
    let upstreams = this.splits.get(route.name);
    if (upstreams === undefined)
      this.splits.set(route.name, (upstreams = simulateUpstreams(route.upstreams, this.entries)));
    const [first = { refusal: refusals.upstreamMissing }] = upstreams;
    if (first.refusal !== undefined && upstreams.every(({ refusal }) => refusal === first.refusal))
      return replied({ ...first.refusal, headers: [] });
    return {
      kind: 'forward',
      path,
      query,
      headers: [...requestHeaders.raw],
      changes: headerChanges(sent, requestHeaders),
      hostHeader: authority === '' ? 'Upstream' : route.hostHeader,
      upstreams,
    };
  }
}

const passedBy = { decide: () => ({ outcome: 'continue' as const, notes: ['is passed by here'] }) };

/** @throws SimulationRequestError */
function toArrival(request: SimulationRequest): Arrival {
  const { listener, peer = '127.0.0.1' } = request;
  return { ...toWire(request), listener, peer };
}

function unrouted(
  routed: RoutedRequest<RouteSnapshot>,
): Pick<Simulation, 'steps' | 'outcome' | 'certain' | 'ambiguity'> {
  const { ambiguity, refusal = refusals.routeNotFound } = routed;
  return {
    steps: [],
    certain: true,
    outcome: replied(refusal),
    ...(ambiguity !== undefined && { ambiguity: { reading: ambiguity.reading, route: ambiguity.route } }),
  };
}

function replied(
  { status, code, detail, headers = [] }: Omit<LocalReply, 'reason'>,
  by?: { readonly name: string; readonly type: string },
): SimulatedOutcome {
  return { kind: 'reply', status, code, detail, headers, ...(by !== undefined && { by }) };
}

/** The hostname that a host is matched by: the first in the order of precedence. */
function hostnameFor({ hostnames }: RouteSnapshot, host: string): string {
  const fits = (hostname: string): boolean =>
    hostname === host || (hostname.startsWith('*.') && host.endsWith(hostname.slice(1)));
  return hostnames.filter(fits).sort(compareHostnames)[0] ?? '';
}

/** Routes that no worker would take have no place in the table. */
function tableOf(
  entries: ReadonlyMap<string, Entry>,
  previous: EntrySimulator | undefined,
): RoutingTable<RouteSnapshot> {
  const set = new Map<string, RouteSnapshot>();
  const removed: string[] = [];
  const {
    added,
    changed,
    removed: gone,
  } = changedKeys(previous?.entries ?? new Map<string, Entry>(), entries);
  for (const key of [...added, ...changed]) {
    const entry = key.startsWith('Route/') ? entries.get(key) : undefined;
    if (entry === undefined) continue;
    const route = JSON.parse(entry.json) as RouteSnapshot;
    set.set(route.name, route);
  }
  for (const key of gone) if (key.startsWith('Route/')) removed.push(key.slice('Route/'.length));
  const before = previous?.table ?? RoutingTable.empty<RouteSnapshot>();
  for (;;) {
    if (set.size === 0 && removed.length === 0) return before;
    try {
      return before.change({ set: set.values(), removed }, (route) => route);
    } catch (error) {
      if (!(error instanceof RouteError) || !set.delete(error.route)) throw error;
      removed.push(error.route);
    }
  }
}
