import type { MiddlewareDefinition } from '../contract.ts';
import { checkJwt, jwtKeys } from './config.ts';
import type { JwtConfig } from './config.ts';

/** `jwt`: lets requests with a valid bearer token pass (RFC 6750, RFC 7519, RFC 8725). */
export const jwt: MiddlewareDefinition<JwtConfig> = {
  type: 'jwt',
  guards: true,
  check: checkJwt,
  keys: jwtKeys,
  // jose is loaded by those who use it: three threads know every definition, and few routes may need this one.
  create: async (config, context) => (await import('./create-jwt.ts')).createJwt(config, context),
};
