import { createHmac } from 'node:crypto';

/** A secret of the bench only: everything here talks to the loopback interface. */
export const secret = 'bench-secret-bench-secret-bench-secret-32';
export const issuer = 'bench';
export const audience = 'bench';

/** A bearer token (HS256) that all subjects accept in `full`; good for a day. */
export function createToken(nowSeconds = Math.floor(Date.now() / 1000)): string {
  const text = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${text({ alg: 'HS256', typ: 'JWT', kid: 'bench' })}.${text({
    iss: issuer,
    sub: 'user-1',
    aud: audience,
    iat: nowSeconds - 60,
    exp: nowSeconds + 86_400,
  })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
