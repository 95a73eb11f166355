import { createLocalJWKSet, errors } from 'jose';
import type { CryptoKey, JSONWebKeySet, JWSHeaderParameters } from 'jose';
import type { KeyMaterial } from '../../snapshot/messages.ts';
import type { KeyReference } from '../../snapshot/model.ts';
import type { KeySource } from '../contract.ts';
import { KeyError } from '../key-error.ts';
import { minSecretBytes } from './config.ts';

/** One state of an issuer's keys. Two states are the same keys only if they are the same object. */
export interface KeySet {
  /** Keys that may have signed a token with this header, best first; empty: none. Rejects never. */
  candidates(header: JWSHeaderParameters): Promise<readonly CryptoKey[]>;
}

export interface IssuerKeys {
  /** The keys as they are now; undefined: not available. */
  current(): KeySet | undefined;
  /** Asks for newer keys, at most once in a while; says whether they are other ones now. */
  refresh(): Promise<boolean>;
}

export interface IssuerKeysOptions {
  readonly reference: KeyReference;
  readonly algorithms: ReadonlySet<string>;
  /** The algorithms were written down: a secret must be long enough for each. Otherwise those count for which it is. */
  readonly areExplicit: boolean;
  readonly source: KeySource;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/**
 * Tokens with an unknown `kid` are free to make, so their number must not become a number of messages to the main
 * thread (which itself limits how often it fetches).
 */
const refreshPauseMs = 1000;

/** A token without `kid` may fit several keys; each costs a verification. */
const maxCandidates = 8;

/** Throws if the material that is there cannot be used with these algorithms. */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { reference, source, now } = options;
  let material: KeyMaterial | undefined;
  let keySet: KeySet | undefined;
  let refreshing: Promise<boolean> | undefined;
  let refreshedAt = -Infinity;

  const load = (next: KeyMaterial | undefined): KeySet | undefined => {
    if (next?.secret !== undefined) return secretKeySet(next.secret, options);
    if (next?.jwks !== undefined) return jwksKeySet(next.jwks);
    return undefined;
  };
  const current = (): KeySet | undefined => {
    const next = source.get(reference.id);
    // Absent: forgotten, because nothing that is served needs it; what began before goes on with what it has.
    if (next === undefined || next === material) return keySet;
    const isSame = next.version === material?.version && hasBytes(next) && keySet !== undefined;
    material = next;
    if (isSame) return keySet;
    try {
      keySet = load(next);
    } catch {
      // A rotation that cannot be used (a secret that is too short) changes nothing: its generation is refused too.
    }
    return keySet;
  };
  const refresh = async (): Promise<boolean> => {
    const before = current();
    await source.refresh(reference.id);
    return current() !== before;
  };

  material = source.get(reference.id);
  // Behind a URL they may come any time. A file that is none, or half of one, comes with the next version of it: until then what is
  // served stays.
  if (material?.error !== undefined && !('url' in reference.source)) throw new KeyError(material.error);
  keySet = load(material);
  return {
    current,
    refresh() {
      if (refreshing !== undefined) return refreshing;
      const time = now();
      if (!('url' in reference.source) || Math.abs(time - refreshedAt) < refreshPauseMs)
        return Promise.resolve(false);
      refreshedAt = time;
      refreshing = refresh().finally(() => (refreshing = undefined));
      return refreshing;
    },
  };
}

function hasBytes({ secret, jwks }: KeyMaterial): boolean {
  return secret !== undefined || jwks !== undefined;
}

function secretKeySet(secret: Uint8Array, { algorithms, areExplicit, reference }: IssuerKeysOptions): KeySet {
  const tooLong = [...algorithms].filter((algorithm) => minSecretBytes(algorithm) > secret.length);
  const [first] = tooLong;
  if (first !== undefined && (areExplicit || tooLong.length === algorithms.size)) {
    throw new Error(
      `${reference.id} has ${secret.length} bytes, ${first} needs at least ${minSecretBytes(first)} (RFC 7518 §3.2)`,
    );
  }
  const bytes = new Uint8Array(secret);
  const keys = new Map<string, Promise<readonly CryptoKey[]>>();
  return {
    candidates({ alg = '' }) {
      if (tooLong.includes(alg)) return Promise.resolve([]);
      let key = keys.get(alg);
      if (key === undefined) {
        const algorithm = { name: 'HMAC', hash: `SHA-${alg.slice(2)}` };
        key = crypto.subtle
          .importKey('raw', bytes, algorithm, false, ['verify'])
          .then((imported) => [imported]);
        keys.set(alg, key); // only allowed algorithms get here: three at most
      }
      return key;
    },
  };
}

function jwksKeySet(text: string): KeySet {
  const find = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  return {
    async candidates(header) {
      try {
        return [await find(header)];
      } catch (error) {
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return [];
        const keys: CryptoKey[] = [];
        for await (const key of error) {
          keys.push(key);
          if (keys.length === maxCandidates) break;
        }
        return keys;
      }
    },
  };
}
