import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';

export interface CheckedJwkSet {
  /** JSON text of a set that holds public keys which can be used, and nothing else. */
  readonly jwks: string;
  /** Why keys were left out, by their place and `kid`. */
  readonly warnings: readonly string[];
}

/** Members of keys that must not be published (RFC 7518 §6.2.2, §6.3.2, §6.4.1; RFC 9964). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const curves = new Set(['P-256', 'P-384', 'P-521', 'Ed25519']);
const minRsaBits = 2048;
const maxKeys = 256;

/** Reads a JWK set (RFC 7517 §5) and leaves out what cannot verify a signature. Throws if nothing is left. */
export function checkJwkSet(text: string): CheckedJwkSet {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
  const keys = isObject(set) ? set['keys'] : undefined;
  if (!Array.isArray(keys)) throw new Error('is not a JWK set: it has no list "keys"');
  if (keys.length > maxKeys) throw new Error(`has more than ${maxKeys} keys`);
  const usable: object[] = [];
  const warnings: string[] = [];
  keys.forEach((key: unknown, i) => {
    const problem = isObject(key) ? problemOf(key) : 'is not an object';
    if (problem === undefined) usable.push(key as object);
    else if (problem !== 'not for signatures') warnings.push(`keys[${i}]${nameOf(key)}: ${problem}`);
  });
  if (usable.length === 0)
    throw new Error(`has no key that can be used${warnings.length > 0 ? `: ${warnings.join('; ')}` : ''}`);
  return { jwks: JSON.stringify({ keys: usable }), warnings };
}

function problemOf(key: Readonly<Record<string, unknown>>): string | undefined {
  const { kty, use, crv } = key;
  if (use !== undefined && use !== 'sig') return 'not for signatures';
  if (kty === 'oct') return 'a shared secret does not belong in a key set';
  const leaked = privateMembers.filter((member) => Object.hasOwn(key, member));
  // Whoever can read the set could sign with it.
  if (leaked.length > 0) return `holds a private key (${leaked.join(', ')})`;
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP')
    return `key type ${JSON.stringify(kty)} is not supported`;
  if (kty !== 'RSA' && !curves.has(crv as string)) return `curve ${JSON.stringify(crv)} is not supported`;
  try {
    const bits = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails
      ?.modulusLength;
    return bits !== undefined && bits < minRsaBits
      ? `${bits} bits are too few, at least ${minRsaBits}`
      : undefined;
  } catch {
    return 'is malformed';
  }
}

function nameOf(key: unknown): string {
  return isObject(key) && typeof key['kid'] === 'string' ? ` (${key['kid'].slice(0, 100)})` : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
