import { createHash } from 'node:crypto';
import type { KeyReference } from '../../snapshot/model.ts';
import type { ConfigProblem } from '../contract.ts';
import { canonical } from '../field-spellings.ts';
import { isFieldName } from '../field-text.ts';
import { framingFields } from '../framing-fields.ts';

/** The `jwt` block as validated by schemas/middlewares/jwt.json, defaults filled in. */
export interface JwtConfig {
  readonly issuers: readonly IssuerConfig[];
  /** Claim (dotted for nested ones) → request header. */
  readonly claimsToHeaders?: Readonly<Record<string, string>>;
  readonly require?: { readonly claims?: Readonly<Record<string, ClaimCondition>> };
}

export interface IssuerConfig {
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences?: readonly string[];
  readonly jwks?: { readonly url: string } | { readonly file: string } | { readonly inline: string };
  readonly secret?: ({ readonly env: string } | { readonly file: string }) & {
    readonly encoding?: 'Utf8' | 'Base64Url';
  };
  /** Absent: by the kind of key, see `algorithmsOf`. */
  readonly algorithms?: readonly string[];
  /** Duration. */
  readonly leeway?: string;
}

export type ClaimCondition = { readonly contains: string } | { readonly equals: string };

const symmetric = ['HS256', 'HS384', 'HS512'];
const asymmetric = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/**
 * What `alg` may say. A secret never verifies anything but HS*, a key set never HS*: a public key that is taken for a
 * secret is the classic forgery (RFC 8725 §2.1). Without a list: all that fit the kind of key.
 */
export function algorithmsOf({ algorithms, secret }: IssuerConfig): ReadonlySet<string> {
  return new Set(algorithms ?? (secret === undefined ? asymmetric : symmetric));
}

/** Fewest bytes a secret must have for an algorithm: the size of the hash (RFC 7518 §3.2). */
export function minSecretBytes(algorithm: string): number {
  return Number(algorithm.slice(2)) / 8;
}

export function checkJwt({ issuers, claimsToHeaders = {} }: JwtConfig): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  issuers.forEach(({ issuer, jwks, secret, algorithms = [] }, i) => {
    const at = `issuers[${i}]`;
    if (issuers.findIndex((other) => other.issuer === issuer) < i) {
      // A token names its issuer; two rules for one would make the answer depend on which is tried.
      problems.push({ path: `${at}.issuer`, message: `${issuer} is named twice` });
    }
    if ((jwks === undefined) === (secret === undefined)) {
      problems.push({ path: at, message: 'needs either jwks or secret' });
      return;
    }
    const allowed = secret === undefined ? asymmetric : symmetric;
    algorithms.forEach((algorithm, n) => {
      if (allowed.includes(algorithm)) return;
      problems.push({
        path: `${at}.algorithms[${n}]`,
        message: `${algorithm} cannot be verified with a ${secret === undefined ? 'JWK set' : 'secret'}`,
        hint: `one of ${allowed.join(', ')}`,
      });
    });
  });
  const seen = new Set<string>();
  for (const [claim, header] of Object.entries(claimsToHeaders)) {
    const name = canonical(header);
    const path = `claimsToHeaders.${claim}`;
    if (!isFieldName(header)) problems.push({ path, message: `"${header}" is not a header name` });
    else if (reserved.has(name)) problems.push({ path, message: `${name} cannot carry a claim` });
    else if (seen.has(name)) problems.push({ path, message: `${name} is named twice` });
    seen.add(name);
  }
  return problems;
}

const reserved: ReadonlySet<string> = new Set(['authorization', 'host', ...framingFields]);

/** One reference for each issuer, in their order. */
export function jwtKeys({ issuers }: JwtConfig): readonly Omit<KeyReference, 'version'>[] {
  return issuers.map(({ jwks, secret }) => {
    if (secret !== undefined) {
      const { encoding = 'Utf8', ...source } = secret;
      const [kind, value] = Object.entries(source)[0] as [string, string];
      return { id: `Secret:${encoding}:${kind}:${value}`, kind: 'Secret', source, encoding };
    }
    if (jwks === undefined) throw new TypeError('an issuer without keys');
    const [kind, value] = Object.entries(jwks)[0] as [string, string];
    // An id is compared and logged; a whole key set is too long for that.
    const label = kind === 'inline' ? createHash('sha256').update(value).digest('hex') : value;
    return { id: `Jwks:${kind}:${label}`, kind: 'Jwks', source: jwks };
  });
}
