import type { UpstreamResource } from '../../resources/generated.ts';
import type { Accepted, TranslateInput, TranslateMemo } from './draft.ts';
import { Draft } from './draft.ts';
import { translateGateways } from './gateways.ts';
import { MiddlewarePool } from './middleware-pool.ts';
import { failedOutcome } from './outcomes.ts';
import { translateRoutes } from './routes.ts';
import type { Translation } from './translation.ts';
import { translateUpstream } from './upstream.ts';

/** Resources → entries and what is to be said about each. Pure, but for `memo`, which changes no result. */
export function translate(input: TranslateInput, memo: TranslateMemo): Translation {
  const draft = new Draft(input, memo);
  for (const stored of draft.accepted('Upstream')) placeUpstream(draft, stored);
  const pool = new MiddlewarePool(draft);
  const listeners = translateGateways(draft, pool);
  translateRoutes(draft, pool);
  for (const { key } of draft.changes.removed) memo.upstreams.delete(key);
  return draft.finish(listeners);
}

function placeUpstream(draft: Draft, { key, namespace, name, accepted }: Accepted): void {
  const known = draft.memo.upstreams.get(key);
  const entry =
    known?.hash === accepted.hash
      ? known.entry
      : translateUpstream(namespace, name, accepted.resource as UpstreamResource);
  draft.memo.upstreams.set(key, { hash: accepted.hash, entry });
  const failure = draft.failureOf(entry);
  if (failure === undefined) {
    draft.add(entry);
    return;
  }
  const good = draft.lastEntry(entry.key);
  if (good !== undefined) draft.add(good);
  draft.outcomes.set(key, failedOutcome(accepted, failure, good === undefined ? 'none' : 'lastGood'));
}
