import type { GatewayResource } from '../../resources/generated.ts';
import { PersistentMap } from '../../routing/persistent-map.ts';
import type { Entry } from '../../snapshot/model.ts';
import type { PackedEntries } from '../../snapshot/packed-entries.ts';
import { holdsGateway } from '../load.ts';
import type { ParsedDocument } from '../parse/parsed-file.ts';
import type { Store } from '../store/store.ts';
import { defaultListener } from '../translate/edge.ts';
import { RouteSets } from '../translate/route-sets.ts';
import type { Translation } from '../translate/translation.ts';

/**
 * The translation that is served, put together again from its entries and the documents that were accepted: what last good
 * versions are taken from after a crash of the thread that made it. What was to be said about it is found out anew.
 */
export function translationOf(entries: PackedEntries, store: Store<ParsedDocument>): Translation {
  const listeners = new Map<string, readonly Entry[]>();
  for (const { key, kind, accepted } of store.resources.values()) {
    if (kind !== 'Gateway' || accepted === undefined) continue;
    const { spec } = accepted.resource as GatewayResource;
    listeners.set(
      key,
      spec.listeners.flatMap(({ name }) => entries.get(`Listener/${name}`) ?? []),
    );
  }
  const routes = new RouteSets(entries, PersistentMap.create({}));
  return { entries, outcomes: new Map(), routes, listeners };
}

/** Without any Gateway, good or bad, the listener called default is the default one (G11). */
export function holdsDefaultListener({ entries }: Translation, store: Store<ParsedDocument>): boolean {
  return entries.get(defaultListener.key)?.hash === defaultListener.hash && !holdsGateway(store);
}
