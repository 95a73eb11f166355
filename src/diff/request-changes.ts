import type { SimulationRequest } from '../simulation/request.ts';
import type { Simulator } from '../simulation/simulator.ts';
import { describeDecision, noticeable } from './decided.ts';
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
 * Undefined: it is decided alike.
 * @throws SimulationRequestError where the request could not be sent at all.
 */
export async function requestChange(
  request: SimulationRequest,
  before: Simulator,
  after: Simulator,
): Promise<RequestChange | undefined> {
  const [from, to] = [await before.decide(request), await after.decide(request)];
  const fields = fieldChanges(
    noticeable({ simulation: from, entries: before.entries }),
    noticeable({ simulation: to, entries: after.entries }),
  );
  if (fields.length === 0) return undefined;
  return {
    method: request.method,
    url: request.url,
    from: describeDecision(from),
    to: describeDecision(to),
    fields,
    certain: from.certain && to.certain,
  };
}
