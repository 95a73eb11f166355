import { claimAt } from '../claims.ts';
import type { Claims } from '../claims.ts';
import type { ClaimCondition } from './config.ts';

/** Compiles `require.claims`: says whether all conditions hold. */
export function compileRequiredClaims(
  conditions: Readonly<Record<string, ClaimCondition>>,
): (claims: Claims) => boolean {
  const entries = Object.entries(conditions);
  return (claims) => entries.every(([name, condition]) => holds(claimAt(claims, name), condition));
}

function holds(value: unknown, condition: ClaimCondition): boolean {
  if ('equals' in condition) return isText(value, condition.equals);
  if (Array.isArray(value)) return value.some((member) => isText(member, condition.contains));
  // `scope` is a string of words (RFC 8693 §4.2).
  return typeof value === 'string' && value.split(' ').includes(condition.contains);
}

/** `true` and `7` in a rule also mean the JSON values. */
function isText(value: unknown, text: string): boolean {
  if (typeof value === 'string') return value === text;
  return (typeof value === 'number' || typeof value === 'boolean') && String(value) === text;
}
