import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { CryptoKey } from 'jose';
import type { BuildContext, LocalReply } from '../contract.ts';
import type { Claims } from '../claims.ts';
import { durationMs } from '../duration.ts';
import { algorithmsOf } from './config.ts';
import type { IssuerConfig } from './config.ts';
import { createIssuerKeys } from './issuer-keys.ts';
import type { IssuerKeys, KeySet } from './issuer-keys.ts';
import {
  claimsInvalid,
  keyUnknown,
  keysUnavailable,
  signatureWrong,
  tokenExpired,
  tokenTooEarly,
} from './replies.ts';

/** What one issuer's tokens must be like, and the keys that prove it. */
export interface IssuerRule {
  readonly issuer: string;
  readonly algorithms: ReadonlySet<string>;
  readonly keys: IssuerKeys;
  /**
   * Verifies the signature with this issuer's keys only, then `iss`, `aud`, `exp` and `nbf` (a token without `exp` does not
   * expire, as at Envoy). An unknown key makes it ask once for newer ones if `mayRefresh`. Rejects never.
   */
  verify(token: string, mayRefresh: boolean): Promise<Verified | { readonly reply: LocalReply }>;
}

export interface Verified {
  readonly reply?: undefined;
  readonly claims: Claims;
  /** The keys that it was verified with. */
  readonly keySet: KeySet;
  /** Unix milliseconds, leeway included: valid from the first and before the second. */
  readonly validFromMs: number;
  readonly validUntilMs: number;
}

export function createIssuerRule(config: IssuerConfig, index: number, context: BuildContext): IssuerRule {
  const { issuer, audiences = [], leeway = '0s' } = config;
  const reference = context.references[index];
  if (reference === undefined) throw new Error(`no key reference for issuer ${issuer}`);
  const algorithms = algorithmsOf(config);
  const leewayMs = durationMs(leeway);
  const { now } = context;
  const areExplicit = config.algorithms !== undefined;
  const keys = createIssuerKeys({ reference, algorithms, areExplicit, source: context.keys, now });

  const verifyWith = async (
    token: string,
    keySet: KeySet,
    candidates: readonly CryptoKey[],
  ): ReturnType<IssuerRule['verify']> => {
    const options = {
      algorithms: [...algorithms],
      issuer,
      ...(audiences.length > 0 && { audience: [...audiences] }),
      clockTolerance: leewayMs / 1000,
      currentDate: new Date(now()),
    };
    for (const key of candidates) {
      try {
        const { payload } = await jwtVerify(token, key, options);
        return admit(payload, keySet, leewayMs, now());
      } catch (error) {
        if (error instanceof errors.JWSSignatureVerificationFailed) continue;
        return { reply: replyTo(error) };
      }
    }
    return { reply: signatureWrong };
  };

  return {
    issuer,
    algorithms,
    keys,
    async verify(token, mayRefresh) {
      const header = decodeProtectedHeader(token);
      let keySet = keys.current();
      if (keySet === undefined) return { reply: keysUnavailable };
      let candidates = await keySet.candidates(header);
      if (candidates.length === 0 && mayRefresh && (await keys.refresh())) {
        keySet = keys.current();
        if (keySet === undefined) return { reply: keysUnavailable };
        candidates = await keySet.candidates(header);
      }
      return candidates.length === 0 ? { reply: keyUnknown } : verifyWith(token, keySet, candidates);
    },
  };
}

/** jose has checked the times in whole seconds; here they must be numbers that can be compared later too. */
function admit(
  claims: Claims,
  keySet: KeySet,
  leewayMs: number,
  nowMs: number,
): Verified | { readonly reply: LocalReply } {
  const [exp, nbf, iat] = [timeOf(claims, 'exp'), timeOf(claims, 'nbf'), timeOf(claims, 'iat')];
  if (exp === null || nbf === null || iat === null) return { reply: claimsInvalid };
  const validFromMs = nbf === undefined ? -Infinity : nbf * 1000 - leewayMs;
  const validUntilMs = exp === undefined ? Infinity : exp * 1000 + leewayMs;
  if (nowMs < validFromMs) return { reply: tokenTooEarly };
  if (nowMs >= validUntilMs) return { reply: tokenExpired };
  return { claims: deepFreeze(claims), keySet, validFromMs, validUntilMs };
}

/** Unix seconds; undefined: not there; null: not a time. */
function timeOf(claims: Claims, name: string): number | undefined | null {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function replyTo(error: unknown): LocalReply {
  if (error instanceof errors.JWTExpired) return tokenExpired;
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed' ? tokenTooEarly : claimsInvalid;
  }
  return error instanceof errors.JWTInvalid ? claimsInvalid : signatureWrong;
}

/** Claims are shared by all requests with the token. */
function deepFreeze(claims: Claims): Claims {
  const waiting: object[] = [claims];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    Object.freeze(value);
    for (const member of Object.values(value) as unknown[]) {
      if (typeof member === 'object' && member !== null) waiting.push(member);
    }
  }
  return claims;
}
