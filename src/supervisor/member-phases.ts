import type { Attachment, KeyMaterial, PrepareFailure } from '../snapshot/messages.ts';
import type { Delta } from '../snapshot/model.ts';
import type { Clock } from './clock.ts';
import type { Member } from './member.ts';

/** A worker that cannot say in this time whether it could serve a candidate refuses it. */
const prepareTimeoutMs = 30_000;

/** Resolves when all have taken it or died. */
export async function sendChunk(
  members: readonly Member[],
  delta: Delta,
  attachments: readonly Attachment[],
): Promise<void> {
  await Promise.all(members.map((member) => member.ask({ type: 'Chunk', delta, attachments }, 'ChunkTaken')));
}

interface Preparation {
  readonly generation: number;
  readonly materials: readonly KeyMaterial[];
  readonly clock: Clock;
}

/** Why it cannot serve the candidate, if anything; undefined: it died. */
export async function prepareMember(
  member: Member,
  { generation, materials, clock }: Preparation,
): Promise<readonly PrepareFailure[] | undefined> {
  if (materials.length > 0) member.send({ type: 'Keys', materials, generation });
  let cancel: () => void = () => undefined;
  const late = new Promise<readonly PrepareFailure[]>((resolve) => {
    const failure = invalid('', `worker ${member.index} was not ready after ${prepareTimeoutMs / 1000} s`);
    cancel = clock.after(prepareTimeoutMs, () => resolve([failure]));
  });
  const prepared = member.ask({ type: 'Prepare', generation }, 'Prepared').then((answer) => answer?.failures);
  return Promise.race([prepared, late]).finally(cancel);
}

export async function commitMember(member: Member, generation: number): Promise<void> {
  const answer = await member.ask({ type: 'Commit', generation }, 'Committed');
  if (answer !== undefined) member.serving = true;
}

/** `key` empty: the candidate as a whole. */
export function invalid(key: string, reason: unknown): PrepareFailure {
  return { key, code: 'Invalid', message: reason instanceof Error ? reason.message : String(reason) };
}

/** Workers mostly fail alike: one of each. */
export function distinct(failures: readonly PrepareFailure[]): readonly PrepareFailure[] {
  const byPlace = new Map(failures.map((failure) => [`${failure.key} ${failure.code}`, failure]));
  return [...byPlace.values()];
}
