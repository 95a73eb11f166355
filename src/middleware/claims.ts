/** Claims of a verified token, as other middlewares and rules name them. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claim called `name`; if there is none and the name has dots, the member it leads to through nested objects
 * (`realm_access.roles`). A claim whose own name has dots (`https://example.com/roles`) comes first. Own members only.
 */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  if (!name.includes('.')) return undefined;
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Claims)[part];
  }
  return value;
}

/**
 * A claim as text: strings as they are, numbers and booleans as in JSON, lists and objects as JSON. Undefined for what
 * is missing or null.
 */
export function claimText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
