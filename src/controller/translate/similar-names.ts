import { suggest } from '../parse/suggest.ts';
import type { Accepted } from '../store/stored.ts';

/** Beyond these, hints take longer than the translation that they belong to. */
const maxKnown = 500;
const maxSearches = 50;

/** Which resource was probably meant by a name that leads nowhere. */
export class SimilarNames {
  readonly #accepted: (kind: string) => readonly Accepted[];
  /** By the key of what is missing. */
  readonly #found = new Map<string, string | undefined>();

  /** @param accepted the resources of a kind */
  constructor(accepted: (kind: string) => readonly Accepted[]) {
    this.#accepted = accepted;
  }

  /** `key`: `Upstream/default/user` → `did you mean "users"?`; references stay in their namespace. */
  hintFor(key: string): string | undefined {
    if (this.#found.has(key)) return this.#found.get(key);
    const [kind = '', namespace = '', name = ''] = key.split('/');
    const all = this.#accepted(kind);
    if (all.length > maxKnown || this.#found.size >= maxSearches) return undefined;
    const names = all
      .filter((each) => each.namespace === namespace && each.name !== name)
      .map((each) => each.name);
    const meant = suggest(name, names);
    const hint = meant === undefined ? undefined : `did you mean "${meant}"?`;
    this.#found.set(key, hint);
    return hint;
  }
}
