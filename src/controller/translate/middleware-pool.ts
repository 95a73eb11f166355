import type { MiddlewareResource } from '../../resources/generated.ts';
import type { Entry, MiddlewareSnapshot } from '../../snapshot/model.ts';
import type { Accepted, Draft } from './draft.ts';
import { makeEntry } from './entry.ts';
import type { MiddlewareUse } from './middleware.ts';
import { blockOf, isPerRoute, surroundingsOf, translateMiddleware, useOf } from './middleware.ts';
import type { Fault } from './outcomes.ts';
import { failedOutcome, joinPath } from './outcomes.ts';

/** What a list of middlewares as written comes to. */
export interface UsedMiddlewares {
  /** In the order written. */
  readonly keys: readonly string[];
  /** Places in `keys` of those that may refuse a request. */
  readonly guards: readonly number[];
  /** Entries that belong to the user: inline ones and per-route instances. */
  readonly own: readonly Entry[];
  /** Keys of those that others may use too. */
  readonly shared: readonly string[];
  readonly faults: readonly Fault[];
}

interface Named {
  /** Absent: refused, and no older version can stand in. */
  readonly entry: Entry | undefined;
  readonly isPerRoute: boolean;
  /** May it refuse a request? */
  readonly isGuard: boolean;
}

/** `UsedMiddlewares` on its way. */
interface Using {
  readonly keys: string[];
  readonly guards: number[];
  readonly own: Entry[];
  readonly shared: string[];
  readonly faults: Fault[];
}

/** The Middleware resources: an entry is served only if something uses it. */
export class MiddlewarePool {
  readonly #draft: Draft;
  readonly #named = new Map<string, Named>();

  constructor(draft: Draft) {
    this.#draft = draft;
    for (const stored of draft.accepted('Middleware')) this.#take(stored);
  }

  #take({ key, namespace, name, accepted }: Accepted): void {
    const resource = accepted.resource as MiddlewareResource;
    const block = blockOf(resource);
    const result = translateMiddleware({ key, name: `${namespace}/${name}`, block }, this.#draft.input);
    const perRoute = isPerRoute(resource);
    const failure = 'entry' in result ? this.#draft.failureOf(result.entry) : undefined;
    if ('entry' in result && failure === undefined) {
      this.#name(key, result.entry, perRoute);
      return;
    }
    // A per-route one has no instance that could stand in for others: its routes keep their own.
    const good = perRoute ? undefined : this.#draft.lastEntry(key);
    this.#name(key, good, perRoute);
    const serving = good === undefined ? 'none' : 'lastGood';
    if (failure !== undefined) this.#draft.outcomes.set(key, failedOutcome(accepted, failure, serving));
    if (!('fault' in result)) return;
    const { reason, message } = result.fault;
    const path = joinPath(`spec.${block.type}`, result.fault.path);
    const problems = [{ at: accepted.locate(path), path, message }];
    this.#draft.outcomes.set(key, {
      serving,
      reason,
      resolved: reason !== 'KeyMissing' && reason !== 'ModuleMissing',
      problems,
    });
  }

  #name(key: string, entry: Entry | undefined, isPerRoute: boolean): void {
    const isGuard = entry !== undefined && this.#isGuard((JSON.parse(entry.json) as MiddlewareSnapshot).type);
    this.#named.set(key, { entry, isPerRoute, isGuard });
  }

  #isGuard(type: string): boolean {
    return this.#draft.input.find(type)?.guards === true;
  }

  /**
   * Resolves a list of middlewares. `base` begins the identity of inline ones; `route` (`namespace/name`) is given where
   * `scope: Route` means an instance of one's own.
   */
  use(
    namespace: string,
    base: string,
    uses: readonly MiddlewareUse[],
    route: string | undefined,
  ): UsedMiddlewares {
    const used: Using = { keys: [], guards: [], own: [], shared: [], faults: [] };
    const counts = new Map<string, number>();
    for (const [index, use] of uses.entries()) {
      const at = `spec.middlewares[${index}]`;
      const found = useOf(use);
      if ('name' in found) {
        this.#useNamed(`Middleware/${namespace}/${found.name}`, `${at}.name`, route, used);
        continue;
      }
      const count = counts.get(found.type) ?? 0;
      counts.set(found.type, count + 1);
      const name = `${base}#${found.type}.${count}`;
      const result = translateMiddleware(
        { key: `Middleware/${name}`, name, block: found },
        this.#draft.input,
      );
      if ('fault' in result) {
        used.faults.push({ ...result.fault, at: joinPath(`${at}.${found.type}`, result.fault.path) });
        continue;
      }
      used.own.push(result.entry);
      addKey(used, result.entry.key, this.#isGuard(found.type));
    }
    return used;
  }

  #useNamed(key: string, at: string, route: string | undefined, used: Using): void {
    const named = this.#named.get(key);
    if (named?.entry === undefined) {
      const isThere = this.#draft.input.store.resources.has(key);
      const message = `Middleware ${key.slice('Middleware/'.length)} ${isThere ? 'is refused' : 'does not exist'}`;
      used.faults.push({
        reason: 'MiddlewareMissing',
        message,
        path: '',
        at,
        ...(!isThere && { missing: key }),
      });
    } else if (named.isPerRoute && route !== undefined) {
      const instance = makeEntry(`${key}@${route}`, JSON.parse(named.entry.json) as object);
      used.own.push(instance);
      addKey(used, instance.key, named.isGuard);
    } else {
      used.shared.push(key);
      addKey(used, key, named.isGuard);
    }
  }

  /** A middleware by name, as it would be served. */
  entryOf(key: string): Entry | undefined {
    return this.#named.get(key)?.entry;
  }

  /** Serves what a list has come to. */
  place(used: { readonly own: readonly Entry[]; readonly shared: Iterable<string> }): void {
    for (const entry of used.own) this.#draft.add(entry);
    for (const key of used.shared) {
      const entry = this.#named.get(key)?.entry;
      if (entry !== undefined) this.#draft.add(entry);
    }
  }

  /** What each name stands for, as far as it changes what becomes of a route that has it. */
  *meanings(): Generator<readonly [key: string, meaning: string]> {
    for (const [key, { entry, isPerRoute: own }] of this.#named) {
      if (entry === undefined) yield [key, ''];
      else yield [key, own ? entry.hash : (JSON.parse(entry.json) as MiddlewareSnapshot).type];
    }
  }

  /** Does an inline one depend on a secret's, a key set's or a module's content? */
  dependsOnContent(uses: readonly MiddlewareUse[]): boolean {
    return uses.some((use) => {
      const found = useOf(use);
      return !('name' in found) && surroundingsOf(found, this.#draft.input) !== '';
    });
  }

  /** All that a list depends on besides its own text. */
  dependsOf(namespace: string, uses: readonly MiddlewareUse[]): string {
    let text = '';
    for (const use of uses) {
      const found = useOf(use);
      if ('name' in found) {
        const key = `Middleware/${namespace}/${found.name}`;
        const named = this.#named.get(key);
        if (named?.entry === undefined) text += this.#draft.input.store.resources.has(key) ? '!' : '-';
        else text += named.isPerRoute ? `@${named.entry.hash}` : named.isGuard ? '#' : '+';
        continue;
      }
      text += surroundingsOf(found, this.#draft.input);
    }
    return text;
  }
}

function addKey({ keys, guards }: Using, key: string, isGuard: boolean): void {
  if (isGuard) guards.push(keys.length);
  keys.push(key);
}
