import { expect } from 'chai';
import { generateKeyPairSync } from 'node:crypto';
import { checkJwkSet } from '../../../src/keys/jwk-set.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicJwk = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'good' };

function kidsOf(jwks: string): readonly unknown[] {
  return (JSON.parse(jwks) as { keys: { kid?: unknown }[] }).keys.map(({ kid }) => kid);
}

describe('checkJwkSet', () => {
  it('keeps public keys that can verify and says why others are left out', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const { jwks, warnings } = checkJwkSet(
      JSON.stringify({
        keys: [
          publicJwk,
          { ...ec.privateKey.export({ format: 'jwk' }), kid: 'private' },
          { kty: 'oct', k: 'c2VjcmV0', kid: 'shared' },
          { ...short, kid: 'short' },
          { ...publicJwk, crv: 'secp256k1', kid: 'curve' },
          { ...publicJwk, x: 'AAAA', kid: 'malformed' },
          { ...publicJwk, use: 'enc', kid: 'encryption' },
          { kty: 'LMS', kid: 'future' },
          7,
        ],
      }),
    );
    expect(kidsOf(jwks)).to.deep.equal(['good']);
    expect(jwks).to.not.match(/"(d|k)":/);
    expect(warnings.map((text) => /\((\w+)\)/.exec(text)?.[1] ?? text)).to.deep.equal([
      'private', 'shared', 'short', 'curve', 'malformed', 'future', 'keys[8]: is not an object',
    ]); // prettier-ignore
  });

  it('refuses what is no set, holds nothing usable or is far too large', () => {
    for (const text of [
      '',
      '[]',
      '{}',
      'null',
      '{"keys":{}}',
      '{"keys":[]}',
      '{"keys":[{"kty":"oct","k":"AA"}]}',
    ]) {
      expect(() => checkJwkSet(text), text).to.throw(Error);
    }
    expect(() => checkJwkSet(JSON.stringify({ keys: Array(257).fill(publicJwk) }))).to.throw('more than 256');
  });
});
