import type { RouteTestResource } from '../../resources/generated.ts';
import type { Problem } from '../../snapshot/messages.ts';
import { SimulationRequestError } from '../../simulation/request.ts';
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

/** Runs the RouteTests among `resources` (their accepted versions). Reads places only of those that fail. */
export async function runRouteTests(
  resources: Iterable<Stored>,
  simulator: Simulator,
): Promise<readonly RouteTestResult[]> {
  const results: RouteTestResult[] = [];
  for (const stored of resources) {
    if (stored.kind === 'RouteTest' && stored.accepted !== undefined)
      results.push(await runRouteTest(stored, simulator));
  }
  return results;
}

export async function runRouteTest(stored: Stored, simulator: Simulator): Promise<RouteTestResult> {
  const { key, namespace, name, accepted, at } = stored;
  if (accepted === undefined) throw new Error(`${key} was never accepted`);
  const { request, expect } = (accepted.resource as RouteTestResource).spec;
  const base = { key, name: `${namespace}/${name}`, at, request: `${request.method} ${request.url}` };
  try {
    const { claims, headers = {} } = request;
    const simulation = await simulator.decide(
      {
        method: request.method,
        url: request.url,
        headers: Object.entries(headers).flat(),
        ...(claims !== undefined && { claims }),
      },
      { skip },
    );
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
    return { ...base, outcome: 'cannot be sent', failures };
  }
}
