import type { RouteTestResource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import { SimulationRequestError } from '../../simulation/request.ts';
import type { SimulationRequest } from '../../simulation/request.ts';
import type { Simulator } from '../../simulation/simulator.ts';
import type { Stored } from '../store/store.ts';
import { compareExpectation, describeOutcome } from './expectation.ts';

/** What became of one RouteTest. */
export interface RouteTestResult {
  /** `RouteTest/namespace/name` */
  readonly key: string;
  /** `namespace/name` */
  readonly name: string;
  readonly at: string;
  /** `GET https://host/path` */
  readonly request: string;
  /** In a few words: what would happen. */
  readonly outcome: string;
  /** Empty: it holds. */
  readonly failures: readonly Problem[];
}

/** Limits depend on what came before, and no dry run starts a user's module. */
const skip: ReadonlySet<string> = new Set(['rateLimit', 'module']);

/** What became of each test the last time, by its key; whoever runs them keeps it. */
export type KnownResults = Map<string, KnownResult>;

interface KnownResult {
  readonly stored: Stored;
  /** What it asks; undefined: the outcome may be another one at another time. */
  readonly request: SimulationRequest | undefined;
  readonly outline: string;
  readonly result: RouteTestResult;
}

/**
 * Runs the RouteTests among `resources` (their accepted versions). Reads places only of those that fail. Of a test that is known
 * the result is taken if the request would meet the same route and the same definitions.
 */
export async function runRouteTests(
  resources: Iterable<Stored>,
  simulator: Simulator,
  known: KnownResults = new Map(),
): Promise<readonly RouteTestResult[]> {
  const results: RouteTestResult[] = [];
  const before = new Map(known);
  known.clear();
  for (const stored of resources) {
    if (stored.kind !== 'RouteTest' || stored.accepted === undefined) continue;
    const last = before.get(stored.key);
    const isSame =
      last?.stored === stored &&
      last.request !== undefined &&
      last.outline === simulator.outline(last.request);
    const now = isSame ? last : await runAndKeep(stored, simulator);
    known.set(stored.key, now);
    results.push(now.result);
  }
  return results;
}

async function runAndKeep(stored: Stored, simulator: Simulator): Promise<KnownResult> {
  const result = await runRouteTest(stored, simulator);
  const request = requestOf(stored);
  const isLasting = result.outcome !== cannotBeSent && !carriesToken(request);
  return isLasting
    ? { stored, result, request, outline: simulator.outline(request) }
    : { stored, result, request: undefined, outline: '' };
}

/** A token may expire, and nothing that is configured tells when. */
function carriesToken({ url, headers = [], claims = {} }: SimulationRequest): boolean {
  const isTimed = ['exp', 'nbf', 'iat'].some((name) => name in claims);
  return isTimed || url.includes('@') || headers.some((text) => text.toLowerCase() === 'authorization');
}

function requestOf({ accepted }: Stored): SimulationRequest {
  const { method, url, claims, headers = {} } = (accepted?.resource as RouteTestResource).spec.request;
  return { method, url, headers: Object.entries(headers).flat(), ...(claims !== undefined && { claims }) };
}

const cannotBeSent = 'cannot be sent';

export async function runRouteTest(stored: Stored, simulator: Simulator): Promise<RouteTestResult> {
  const { key, namespace, name, accepted, at } = stored;
  if (accepted === undefined) throw new Error(`${key} was never accepted`);
  const { request, expect } = (accepted.resource as RouteTestResource).spec;
  const base = { key, name: `${namespace}/${name}`, at, request: `${request.method} ${request.url}` };
  try {
    const simulation = await simulator.decide(requestOf(stored), { skip });
    const failures = compareExpectation(expect, simulation, namespace).map(({ path, message }) => ({
      at: accepted.locate(path),
      path,
      message: `RouteTest ${base.name}: ${message}`,
    }));
    return { ...base, outcome: describeOutcome(simulation), failures };
  } catch (error) {
    if (!(error instanceof SimulationRequestError)) throw error;
    const path = 'spec.request';
    const failures = [
      { at: accepted.locate(path), path, message: `RouteTest ${base.name}: ${error.message}` },
    ];
    return { ...base, outcome: cannotBeSent, failures };
  }
}
