import type { GatewayResource } from '../../resources/generated.ts';
import type { EdgeSnapshot, Entry, RouteSnapshot } from '../../snapshot/model.ts';
import type { Stored } from '../store/store.ts';
import { useOf } from '../translate/middleware.ts';
import type { MiddlewareUse } from '../translate/middleware.ts';

/** Where entries are written down. */
export class Places {
  readonly #find: (key: string) => Stored | undefined;
  readonly #resources: () => Iterable<Stored>;

  constructor(resources: ReadonlyMap<string, Stored>) {
    this.#find = (key) => resources.get(key);
    this.#resources = () => resources.values();
  }

  /** A field of a resource, or the nearest around it; '' for a resource that is not there. */
  of(key: string, path: string): string {
    const stored = this.#find(key);
    return stored?.accepted?.locate(path) ?? stored?.at ?? '';
  }

  /** Definition and use of the `index`th middleware that requests of a route pass. */
  middleware(
    key: string,
    index: number,
    edge: EdgeSnapshot | undefined,
    route: RouteSnapshot,
  ): { readonly at: string; readonly usedAt: string } {
    const wide = edge?.middlewares.length ?? 0;
    const usedAt =
      index < wide
        ? this.#inGateways(key)
        : this.of(`Route/${route.name}`, `spec.middlewares[${index - wide}]`);
    const named = this.#find(key.replace(/@.*$/, ''));
    return { at: named === undefined ? usedAt : (named.accepted?.at ?? named.at), usedAt };
  }

  /** Of an upstream, named or inline, and of the share of a route that it gets. */
  upstream(
    key: string | null,
    route: RouteSnapshot,
    entries: ReadonlyMap<string, Entry>,
  ): { readonly at: string; readonly usedAt: string; readonly endpoint: (index: number) => string } {
    const isThis = (other: string | null): boolean =>
      other === key || (key === null && other !== null && !entries.has(other));
    const share = route.upstreams.findIndex((each) => each.weight > 0 && isThis(each.key));
    const usedAt = this.of(`Route/${route.name}`, `spec.upstreams[${share}]`);
    const stored = key === null ? undefined : this.#find(key);
    if (stored === undefined) return { at: usedAt, usedAt, endpoint: () => usedAt };
    return {
      at: stored.accepted?.at ?? stored.at,
      usedAt,
      endpoint: (index) => this.of(stored.key, `spec.endpoints[${index}]`),
    };
  }

  #inGateways(key: string): string {
    for (const stored of this.#resources()) {
      if (stored.kind !== 'Gateway' || stored.accepted === undefined) continue;
      const { spec } = stored.accepted.resource as GatewayResource;
      const index = keysOf(stored, spec.middlewares).indexOf(key);
      if (index >= 0) return stored.accepted.locate(`spec.middlewares[${index}]`);
    }
    return '';
  }
}

/** Keys of the middlewares of a Gateway, in their order. */
function keysOf({ namespace, name }: Stored, uses: readonly MiddlewareUse[]): readonly string[] {
  const counts = new Map<string, number>();
  return uses.map((use) => {
    const found = useOf(use);
    if ('name' in found) return `Middleware/${namespace}/${found.name}`;
    const count = counts.get(found.type) ?? 0;
    counts.set(found.type, count + 1);
    return `Middleware/Gateway/${namespace}/${name}#${found.type}.${count}`;
  });
}
