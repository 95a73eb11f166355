import { expect } from 'chai';
import fc from 'fast-check';
import { redactFields, redactText } from '../../../src/telemetry/redaction.ts';

// Built here, so that no scanner takes the test for a leak.
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ alg: 'HS256' })}.${part({ sub: 'someone' })}.c2lnbmF0dXJlLWJ5dGVz`;
const secret = 'hunter2-is-the-word';

describe('redactFields', () => {
  it('replaces every field whose name says secret, however it is spelt and however deep', () => {
    const names = [
      'authorization',
      'Proxy-Authorization',
      'cookie',
      'Set-Cookie',
      'token',
      'accessToken',
      'client_secret',
    ];
    names.push('password', 'passwd', 'passphrase', 'api-key', 'X-Api-Key', 'private_key', 'credentials');
    for (const name of names) {
      const printed = JSON.stringify(redactFields({ a: [{ b: { [name]: secret } }], [name]: [secret] }));
      expect(printed, name).to.not.include(secret);
      expect(printed, name).to.include(name);
    }
  });

  it('finds tokens, credentials and passwords in URLs in any text', () => {
    const error = new Error(`bad token ${jwt}`, { cause: new Error(`Bearer ${secret}`) });
    const fields = redactFields({
      text: `got ${jwt}, sorry`,
      list: [`Basic ${Buffer.from(`me:${secret}`).toString('base64')}`],
      url: `redis://me:${secret}@db.example:6379/0`,
      href: new URL(`https://me:${secret}@db.example/`),
      map: new Map([['header', jwt]]),
      error,
    });
    const printed = JSON.stringify(fields);
    expect(printed).to.not.include(jwt).and.not.include(secret).and.not.include('c2lnbmF0dXJl');
    expect(printed).to.include('db.example:6379').and.include('bad token');
    expect(redactText(jwt)).to.equal('[redacted]');
    expect(redactText(`at https://me:p@${secret}@db.example/x@y now`)).to.equal(
      'at https://me:[redacted]@db.example/x@y now',
    );
  });

  it('leaves other things as they are', () => {
    const fields = {
      route: 'default/users',
      count: 3,
      ok: true,
      none: null,
      list: [1, 'a'],
      nested: { at: 'f.yaml:1:2' },
    };
    expect(redactFields(fields)).to.deep.equal(fields);
  });

  it('makes plain data of anything, and doing it twice changes nothing', () => {
    const circular: Record<string, unknown> = { name: 'x' };
    circular['self'] = circular;
    const odd = redactFields({
      circular,
      big: 12n,
      bytes: Buffer.from(secret),
      run: () => secret,
      when: new Date(0),
      nan: NaN,
      ['__proto__']: { polluted: true },
    });
    expect(JSON.stringify(odd)).to.not.include(secret);
    expect(odd).to.include({
      big: '12',
      bytes: `[${secret.length} bytes]`,
      when: '1970-01-01T00:00:00.000Z',
    });
    expect(({} as { polluted?: boolean }).polluted).to.equal(undefined);
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withMap: true, withDate: true })),
        (fields) => {
          const once = redactFields(fields);
          expect(structuredClone(once)).to.deep.equal(once);
          expect(redactFields(once)).to.deep.equal(once);
        },
      ),
      { numRuns: 300 },
    );
  });
});
