/** The compact form of a signed token (RFC 7515 §7.1), read strictly before anything is verified. */

/** What is needed to choose a rule and a key. Nothing of it may be believed yet. */
export interface UnverifiedToken {
  readonly algorithm: string;
  readonly issuer: string | undefined;
}

/** Three parts of base64url without padding, none of them empty: none, JWE and the JSON forms end here. */
const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Undefined: not a token that can be verified. Of two spellings of the same bytes (unused bits of the last character) only
 * the one that encoders write is taken, so that a token has one text. Any `crit` is refused, since no extension is
 * understood here (RFC 7515 §4.1.11); a `kid` that is no string too.
 */
export function readCompact(token: string): UnverifiedToken | undefined {
  const parts = compact.exec(token);
  if (parts === null) return undefined;
  const [, header = '', payload = '', signature = ''] = parts;
  if (!isCanonical(header) || !isCanonical(payload) || !isCanonical(signature)) return undefined;
  const { alg, kid, crit } = jsonObject(header) ?? {};
  const claims = jsonObject(payload);
  if (typeof alg !== 'string' || (kid !== undefined && typeof kid !== 'string')) return undefined;
  if (crit !== undefined || claims === undefined) return undefined;
  const issuer = Object.hasOwn(claims, 'iss') ? claims['iss'] : undefined;
  return { algorithm: alg, issuer: typeof issuer === 'string' ? issuer : undefined };
}

function isCanonical(part: string): boolean {
  const rest = part.length % 4;
  if (rest === 0) return true;
  const last = part.charAt(part.length - 1);
  return rest === 2 ? 'AQgw'.includes(last) : rest === 3 && 'AEIMQUYcgkosw048'.includes(last);
}

/** Own members only, so that nothing is read through a prototype. */
function jsonObject(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return Object.assign(Object.create(null) as Record<string, unknown>, value);
  } catch {
    return undefined;
  }
}
