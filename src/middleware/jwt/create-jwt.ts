import { fromFieldValue } from '../../routing/field-value.ts';
import type { BuildContext, Decision, Exchange, LocalReply, Middleware } from '../contract.ts';
import type { Claims } from '../claims.ts';
import { compileClaimHeaders } from './claim-headers.ts';
import { readCompact } from './compact.ts';
import type { JwtConfig } from './config.ts';
import { createIssuerRule } from './issuer-rule.ts';
import type { IssuerRule, Verified } from './issuer-rule.ts';
import {
  algorithmRefused,
  claimsInvalid,
  claimsMissing,
  issuerUnknown,
  keysUnavailable,
  tokenMalformed,
  tokenMissing,
  tokenTooLarge,
} from './replies.ts';
import { compileRequiredClaims } from './required-claims.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

const maxTokenBytes = 8192;
/** For each instance and worker. */
const cacheLimits = { entries: 20_000, bytes: 16 * 1024 * 1024 };
const bearer = /^bearer(?: +(.*))?$/i;

/** What a verified token means to this rule. */
interface Verdict {
  readonly claims: Claims;
  /** Set: the token is good, but not enough or not to be forwarded. */
  readonly reply: LocalReply | undefined;
  /** Fields for the upstream: name, value, … */
  readonly fields: readonly string[];
}

interface CachedVerdict extends Verdict, Pick<Verified, 'keySet' | 'validFromMs' | 'validUntilMs'> {
  readonly rule: IssuerRule;
}

/** A token whose issuer and algorithm fit a rule; nothing of it is verified. */
interface Attempt {
  readonly reply?: undefined;
  readonly field: string;
  readonly token: string;
  readonly rule: IssuerRule;
}

/** The instance behind `jwt`. */
export function createJwt(config: JwtConfig, context: BuildContext): Middleware {
  const rules = new Map(
    config.issuers.map((issuer, i) => [issuer.issuer, createIssuerRule(issuer, i, context)] as const),
  );
  const claimHeaders = compileClaimHeaders(config.claimsToHeaders ?? {});
  const isEnough = compileRequiredClaims(config.require?.claims ?? {});
  const verified = createVerifiedTokens<CachedVerdict>(cacheLimits);
  const { now } = context;

  const judge = (claims: Claims): Verdict => {
    const fields = claimHeaders.fieldsOf(claims);
    if (fields === undefined) return { claims, reply: claimsInvalid, fields: [] };
    return { claims, reply: isEnough(claims) ? undefined : claimsMissing, fields };
  };
  const apply = (exchange: Exchange, { claims, reply, fields }: Verdict): LocalReply | undefined => {
    if (reply !== undefined) return reply;
    exchange.claims = claims;
    const { raw } = exchange.requestHeaders;
    for (let i = 0; i < fields.length; i++) raw.push(fields[i] as string);
    return undefined;
  };
  /** The verdict of an earlier request with the same field, if everything that it rests on still holds. */
  const recall = (field: string): Verdict | undefined => {
    const cached = verified.get(field);
    if (cached === undefined) return undefined;
    const time = now();
    if (cached.rule.keys.current() !== cached.keySet) verified.clear();
    else if (time >= cached.validFromMs && time < cached.validUntilMs) return cached;
    else verified.delete(field);
    return undefined;
  };
  const verify = async (
    { field, token, rule }: Attempt,
    mayRefresh: boolean,
  ): Promise<Verdict | { reply: LocalReply }> => {
    const result = await rule.verify(token, mayRefresh);
    if (result.reply !== undefined) return result;
    const verdict = judge(result.claims);
    const bytes = 4 * token.length + verdict.fields.reduce((sum, text) => sum + text.length, 512);
    const { keySet, validFromMs, validUntilMs } = result;
    verified.set(field, { ...verdict, rule, keySet, validFromMs, validUntilMs }, bytes);
    return verdict;
  };
  const request = (exchange: Exchange): LocalReply | undefined | Promise<LocalReply | undefined> => {
    claimHeaders.strip(exchange.requestHeaders);
    const field = authorizationOf(exchange);
    if (typeof field !== 'string') return field;
    const known = recall(field);
    if (known !== undefined) return apply(exchange, known);
    const attempt = attemptOf(field, rules);
    if (attempt.reply !== undefined) return attempt.reply;
    return verify(attempt, true).then((verdict) =>
      'claims' in verdict ? apply(exchange, verdict) : verdict.reply,
    );
  };

  return {
    request,
    requestTrailers: claimHeaders.strip,
    async decide(exchange): Promise<Decision> {
      claimHeaders.strip(exchange.requestHeaders);
      const field = authorizationOf(exchange);
      const standIn = exchange.claims;
      // A token counts before claims that stand in for one: those of an earlier jwt are there too.
      if (field === tokenMissing && standIn !== undefined)
        return decision(exchange, judge(standIn), 'the claims given');
      if (typeof field !== 'string') return refusal(field);
      const attempt = attemptOf(field, rules);
      if (attempt.reply !== undefined) return refusal(attempt.reply);
      const verdict = await verify(attempt, false);
      return 'claims' in verdict
        ? decision(exchange, verdict, `a token of ${attempt.rule.issuer}`)
        : refusal(verdict.reply);
    },
    close: () => verified.clear(),
  };

  function decision(exchange: Exchange, verdict: Verdict, what: string): Decision {
    const reply = apply(exchange, verdict);
    if (reply !== undefined) return refusal(reply);
    const notes = [`accepts ${what}`];
    for (let i = 0; i < verdict.fields.length; i += 2)
      notes.push(`sets ${verdict.fields[i]}: ${fromFieldValue(verdict.fields[i + 1] ?? '')}`);
    return { outcome: 'continue', notes };
  }
}

function refusal(reply: LocalReply): Decision {
  if (reply === keysUnavailable) return { outcome: 'unknown', notes: ['the keys are not available here'] };
  return { outcome: 'reply', reply, notes: [`refuses: ${reply.reason.replaceAll('_', ' ')}`] };
}

/** The one Authorization field. Of two, each could be meant for another reader. */
function authorizationOf({ requestHeaders }: Exchange): string | LocalReply {
  const at = requestHeaders.indexOf('authorization', 0);
  if (at < 0) return tokenMissing;
  if (requestHeaders.indexOf('authorization', at + 2) >= 0) return tokenMalformed;
  return requestHeaders.raw[at + 1] as string;
}

function attemptOf(
  field: string,
  rules: ReadonlyMap<string, IssuerRule>,
): Attempt | { readonly reply: LocalReply } {
  if (field.length > maxTokenBytes + 16) return { reply: tokenTooLarge };
  const scheme = bearer.exec(field);
  if (scheme === null) return { reply: tokenMissing };
  const token = scheme[1] ?? '';
  if (token.length > maxTokenBytes) return { reply: tokenTooLarge };
  const unverified = readCompact(token);
  if (unverified === undefined) return { reply: tokenMalformed };
  const rule = unverified.issuer === undefined ? undefined : rules.get(unverified.issuer);
  if (rule === undefined) return { reply: issuerUnknown };
  if (!rule.algorithms.has(unverified.algorithm)) return { reply: algorithmRefused };
  if (rule.keys.current() === undefined) return { reply: keysUnavailable };
  return { field, token, rule };
}
