import type { GatewayResource } from '../../resources/generated.ts';
import type { Entry, RouteSnapshot } from '../../snapshot/model.ts';
import { holdsGateway } from '../load.ts';
import type { ParsedDocument } from '../parse/parsed-file.ts';
import type { Store } from '../store/store.ts';
import { defaultListener } from '../translate/edge.ts';
import type { RouteSet, Translation } from '../translate/translation.ts';

/**
 * The translation that is served, put together again from its entries and the documents that were accepted: what last good
 * versions are taken from after a crash of the thread that made it. What was to be said about it is found out anew.
 */
export function translationOf(served: readonly Entry[], store: Store<ParsedDocument>): Translation {
  const entries = new Map(served.map((entry) => [entry.key, entry] as const));
  const routes = new Map<string, RouteSet>();
  for (const entry of served) {
    if (!entry.key.startsWith('Route/')) continue;
    const set = routeSet(entry, entries);
    if (set !== undefined) routes.set(entry.key, set);
  }
  const listeners = new Map<string, readonly Entry[]>();
  for (const { key, kind, accepted } of store.resources.values()) {
    if (kind !== 'Gateway' || accepted === undefined) continue;
    const { spec } = accepted.resource as GatewayResource;
    listeners.set(
      key,
      spec.listeners.flatMap(({ name }) => entries.get(`Listener/${name}`) ?? []),
    );
  }
  return { entries, outcomes: new Map(), routes, listeners };
}

/** Without any Gateway, good or bad, the listener called default is the default one (G11). */
export function holdsDefaultListener({ entries }: Translation, store: Store<ParsedDocument>): boolean {
  return entries.get(defaultListener.key)?.hash === defaultListener.hash && !holdsGateway(store);
}

/** Undefined: it answers 503, which is no good version. */
function routeSet(entry: Entry, entries: ReadonlyMap<string, Entry>): RouteSet | undefined {
  const { middlewares, upstreams, unsecured } = JSON.parse(entry.json) as RouteSnapshot;
  if (unsecured !== undefined) return undefined;
  const isInline = (key: string): boolean => /^Middleware\/.*[#@]|^Upstream\/https?:/.test(key);
  const used = [...middlewares, ...upstreams.flatMap(({ key }) => key ?? [])];
  const own = [...new Set(used.filter(isInline))].flatMap((key) => entries.get(key) ?? []);
  return { entry, own, shared: middlewares.filter((key) => !isInline(key)) };
}
