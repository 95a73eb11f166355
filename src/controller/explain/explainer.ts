import type { SimulationRequest } from '../../simulation/request.ts';
import { createSimulator } from '../../simulation/simulator.ts';
import type { Simulator } from '../../simulation/simulator.ts';
import type { ControllerView } from '../status/view.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explanation.ts';

/** Explains requests against what is served; what it has built for one generation it uses for the next. */
export class Explainer {
  #simulator: Simulator | undefined;

  /** @throws Error with a message for whoever asks. */
  explain({ served, store, outcomes }: ControllerView, args: unknown): Promise<Explanation> {
    if (this.#simulator?.entries !== served) this.#simulator = createSimulator(served, this.#simulator);
    return explain(readArguments(args), {
      simulator: this.#simulator,
      resources: store.resources,
      outcomes,
    });
  }
}

/** `{ method, url, headers: ["name: value"], claims }` */
function readArguments(args: unknown): SimulationRequest {
  const {
    method,
    url,
    headers = [],
    claims,
  } = (args ?? {}) as {
    readonly method?: unknown;
    readonly url?: unknown;
    readonly headers?: unknown;
    readonly claims?: unknown;
  };
  if (typeof method !== 'string' || typeof url !== 'string') throw new Error('method and url must be texts');
  if (!Array.isArray(headers)) throw new Error('headers must be a list');
  return {
    method,
    url,
    headers: headers.flatMap((line: unknown) => splitHeader(String(line))),
    ...(typeof claims === 'object' && claims !== null && { claims: claims as Record<string, unknown> }),
  };
}

/** `name: value` → name, value. */
export function splitHeader(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  if (colon <= 0) throw new Error(`a header is "name: value", not ${JSON.stringify(line)}`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
