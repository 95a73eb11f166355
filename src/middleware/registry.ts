import type { MiddlewareDefinition } from './contract.ts';
import { jwt } from './jwt/jwt.ts';
import { userModule } from './module/module.ts';
import { query } from './query.ts';
import { monotonicMicros } from './rate-limit/monotonic-micros.ts';
import { createRateLimit } from './rate-limit/rate-limit.ts';
import { requestHeaders } from './request-headers.ts';
import { responseHeaders } from './response-headers.ts';
import { rewrite } from './rewrite.ts';

/**
 * Every middleware there is. A new one is one file, one schema in `schemas/middlewares/` and one line here. The order of
 * this list means nothing: a route runs its middlewares as written.
 */
export const middlewareDefinitions: readonly MiddlewareDefinition[] = [
  erase(jwt),
  erase(createRateLimit(monotonicMicros)),
  erase(requestHeaders),
  erase(responseHeaders),
  erase(query),
  erase(rewrite),
  erase(userModule),
];

const byType: ReadonlyMap<string, MiddlewareDefinition> = new Map(
  middlewareDefinitions.map((definition) => [definition.type, definition]),
);

/** The definition behind a key in YAML (`rateLimit`), if there is one. */
export function findMiddleware(type: string): MiddlewareDefinition | undefined {
  return byType.get(type);
}

/** A definition gets only configs that its own schema has accepted: here its type parameter is forgotten. */
function erase<Config>(definition: MiddlewareDefinition<Config>): MiddlewareDefinition {
  return definition as MiddlewareDefinition;
}
