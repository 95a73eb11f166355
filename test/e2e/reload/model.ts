/**
 * What a gateway serves after any history of edits, said a second time and as plainly as possible: the rules of the store
 * and of last good versions (docs/architecture.md), for Routes and the named Middlewares that they use.
 */

export type Key = `Route/${string}` | `Middleware/${string}`;

export interface ModelDocument {
  readonly key: Key;
  /** Equal numbers: equal texts. */
  readonly version: number;
  readonly good: boolean;
  /** Names of middlewares; only of a Route. */
  readonly uses: readonly string[];
}

export interface ModelFile {
  readonly documents: readonly ModelDocument[];
  /** Cut off in the middle: no YAML. */
  readonly broken: boolean;
  /** Holds a document beside these that does not say what it is. */
  readonly nameless: boolean;
}

/** By path. */
export type Disk = ReadonlyMap<string, ModelFile>;

/** What a client is to see under a route's path. */
export interface Served {
  readonly status: 200 | 404 | 503;
  readonly version?: number;
  /** Versions of the middlewares that ran. */
  readonly middlewares?: Readonly<Record<string, number>>;
}

interface Held {
  readonly file: string;
  readonly accepted: ModelDocument | undefined;
}

export class Model {
  #held = new Map<Key, Held>();
  /** Routes whose middlewares were all there when they were last translated. */
  #good = new Map<Key, ModelDocument>();
  #middlewares = new Map<string, number>();
  #served = new Map<Key, Served>();

  /** The program starts again: kept are documents, not what was made of them. */
  restart(): void {
    this.#good = new Map();
    this.#middlewares = new Map();
  }

  reconcile(disk: Disk): void {
    this.#held = this.#nextHeld(disk);
    this.#translate();
  }

  /** The accepted documents and the files that hold them. */
  held(): readonly { readonly file: string; readonly document: ModelDocument }[] {
    return [...this.#held.values()].flatMap(({ file, accepted }) =>
      accepted === undefined ? [] : [{ file, document: accepted }],
    );
  }

  served(route: string): Served {
    return this.#served.get(`Route/${route}`) ?? { status: 404 };
  }

  #nextHeld(disk: Disk): Map<Key, Held> {
    const next = new Map<Key, Held>();
    const isRefused = (path: string): boolean => {
      const file = disk.get(path);
      if (file === undefined) return false;
      const isEmpty = file.documents.length === 0 && !file.nameless;
      return file.broken || (isEmpty && this.#holdsAccepted(path));
    };
    const mentions = new Map<Key, { readonly path: string; readonly document: ModelDocument }[]>();
    for (const path of [...disk.keys()].sort()) {
      if (isRefused(path)) continue;
      for (const document of disk.get(path)?.documents ?? []) {
        mentions.set(document.key, [...(mentions.get(document.key) ?? []), { path, document }]);
      }
    }
    for (const [key, found] of mentions) {
      const before = this.#held.get(key);
      // Whoever holds it and cannot be read at the moment goes on holding it.
      if (before?.accepted !== undefined && isRefused(before.file)) next.set(key, before);
      else next.set(key, choose(before, found));
    }
    for (const [key, before] of this.#held) {
      if (next.has(key) || !disk.has(before.file)) continue;
      const file = disk.get(before.file);
      const isUnsure = file?.nameless === true || file?.documents.every(({ good }) => !good) === true;
      if (isRefused(before.file) || (isUnsure && before.accepted !== undefined)) next.set(key, before);
    }
    return next;
  }

  #holdsAccepted(path: string): boolean {
    return [...this.#held.values()].some(({ file, accepted }) => file === path && accepted !== undefined);
  }

  #translate(): void {
    const good = new Map<Key, ModelDocument>();
    const served = new Map<Key, Served>();
    const middlewares = new Map<string, number>();
    const accepted = (key: Key): ModelDocument | undefined => this.#held.get(key)?.accepted;
    for (const key of this.#held.keys()) {
      const route = key.startsWith('Route/') ? accepted(key) : undefined;
      if (route === undefined) continue;
      const isWhole = route.uses.every((name) => accepted(`Middleware/${name}`) !== undefined);
      const chosen = isWhole ? route : this.#good.get(key);
      served.set(key, { status: 503 });
      if (chosen === undefined) continue;
      good.set(key, chosen);
      const ran: Record<string, number> = {};
      for (const name of chosen.uses) {
        const version = accepted(`Middleware/${name}`)?.version ?? this.#middlewares.get(name);
        if (version === undefined) throw new Error(`${key} was good without ${name}`);
        ran[name] = version;
        middlewares.set(name, version);
      }
      served.set(key, { status: 200, version: chosen.version, middlewares: ran });
    }
    this.#good = good;
    this.#served = served;
    this.#middlewares = middlewares;
  }
}

/** Which of the documents of one name is the resource, and whether its new version is taken. */
function choose(
  before: Held | undefined,
  found: readonly { readonly path: string; readonly document: ModelDocument }[],
): Held {
  const [first] = found;
  if (first === undefined) throw new Error('mentioned nowhere');
  const accepted = before?.accepted;
  const same = found.find(({ document }) => document.good && document.version === accepted?.version);
  const own = accepted === undefined ? undefined : found.find(({ path }) => path === before?.file);
  const chosen = own ?? same ?? found.find(({ document }) => document.good) ?? first;
  return { file: chosen.path, accepted: chosen.document.good ? chosen.document : accepted };
}
