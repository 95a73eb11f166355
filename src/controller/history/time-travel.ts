import type { CommandResult, ConfigStatus } from '../../snapshot/messages.ts';
import type { Clock } from '../clock.ts';
import type { Publisher } from '../publish/publisher.ts';
import type { Store } from '../store/store.ts';
import { acceptedHash } from './accepted-hash.ts';
import type { History } from './history.ts';
import type { Pinning } from './pinning.ts';

export interface TimeTravelOptions {
  readonly history: History;
  readonly pinning: Pinning;
  readonly publisher: Publisher;
  readonly clock: Clock;
}

/** What of the reconciler takes part; no run may be under way. */
export interface Present {
  readonly store: Store;
  /** Reconciles, and says what came of it. */
  readonly run: () => Promise<ConfigStatus | undefined>;
}

/** Publishes an older generation again and keeps it until the source has an accepted change or the time is up. */
export async function rollBack(
  { generation, forMs }: { readonly generation: number; readonly forMs: number | undefined },
  { history, pinning, publisher, clock }: TimeTravelOptions,
  { store, run }: Present,
): Promise<CommandResult> {
  const entries = history.entriesOf(generation);
  const record = history.recordOf(generation);
  if (entries === undefined || record === undefined) {
    const message = `generation ${generation} is not among those that are kept`;
    return { done: false, reason: 'UnknownGeneration', message };
  }
  const since = clock.now();
  const pin = {
    of: generation,
    since,
    ...(forMs !== undefined && { until: since + forMs }),
    sourceHash: record.sourceHash,
    accepted: acceptedHash(store),
  };
  const [failure] = await pinning.start(pin, entries);
  if (failure !== undefined)
    return { done: false, reason: 'Refused', message: `${failure.key}: ${failure.message}` };
  await run();
  return { done: true, value: { generation: publisher.generation, of: generation, until: pin.until } };
}

/** Serves the source again. */
export async function resume(
  { pinning, publisher }: TimeTravelOptions,
  { run }: Pick<Present, 'run'>,
): Promise<CommandResult> {
  const pinned = pinning.pin?.of;
  await pinning.end('Resumed');
  const { result, problems } = (await run()) ?? {};
  return { done: true, value: { generation: publisher.generation, pinned, result, problems } };
}
