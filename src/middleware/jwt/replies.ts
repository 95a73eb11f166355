/** The answers of `jwt` (RFC 6750 §3). Texts are fixed: nothing of the token or of what went wrong inside is in them. */
import type { LocalReply } from '../contract.ts';

const realm = 'Bearer realm="mgateway"';

/** No bearer token was sent: no `error` (RFC 6750 §3.1). */
export const tokenMissing: LocalReply = {
  status: 401,
  code: 'ERR_JWT_MISSING',
  detail: 'A bearer token is required.',
  reason: 'token_missing',
  headers: ['WWW-Authenticate', realm],
};

export const tokenExpired = refused('ERR_JWT_EXPIRED', 'The token has expired.', 'token_expired');
export const tokenTooEarly = refused('ERR_JWT_INVALID', 'The token is not valid yet.', 'token_not_yet_valid');
export const tokenMalformed = refused('ERR_JWT_INVALID', 'The token is malformed.', 'token_malformed');
export const tokenTooLarge = refused('ERR_JWT_INVALID', 'The token is too large.', 'token_too_large');
/** One text for all that a forger could learn from: issuer, audience, algorithm, key, signature. */
export const issuerUnknown = refused('ERR_JWT_INVALID', 'The token is not valid.', 'issuer_unknown');
export const algorithmRefused = refused('ERR_JWT_INVALID', 'The token is not valid.', 'algorithm_refused');
export const keyUnknown = refused('ERR_JWT_INVALID', 'The token is not valid.', 'key_unknown');
export const signatureWrong = refused('ERR_JWT_INVALID', 'The token is not valid.', 'signature_wrong');
export const claimsInvalid = refused('ERR_JWT_INVALID', 'The token is not valid.', 'claims_invalid');

/** The token is good, but does not say what the route requires. */
export const claimsMissing: LocalReply = {
  status: 403,
  code: 'ERR_JWT_CLAIMS',
  detail: 'The token does not permit this request.',
  reason: 'claims_missing',
  headers: ['WWW-Authenticate', `${realm}, error="insufficient_scope"`],
};

/** Fails closed. */
export const keysUnavailable: LocalReply = {
  status: 503,
  code: 'ERR_JWT_KEYS_UNAVAILABLE',
  detail: 'Tokens cannot be verified at the moment.',
  reason: 'keys_unavailable',
};

function refused(code: string, detail: string, reason: string): LocalReply {
  const challenge = `${realm}, error="invalid_token", error_description="${detail.slice(0, -1)}"`;
  return { status: 401, code, detail, reason, headers: ['WWW-Authenticate', challenge] };
}
