import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Exchange, KeySource, LocalReply, Middleware } from '../../../src/middleware/contract.ts';
import { jwtKeys } from '../../../src/middleware/jwt/config.ts';
import type { JwtConfig } from '../../../src/middleware/jwt/config.ts';
import type { KeyMaterial } from '../../../src/snapshot/messages.ts';
import type { KeyReference } from '../../../src/snapshot/model.ts';
import { build, contextOf, exchangeOf, problemsOf } from './exchange.ts';

const nowSeconds = 1_700_000_000;
const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const hsIssuer = { issuer: 'https://hs.test', secret: { env: 'HS' }, algorithms: ['HS256'], leeway: '0s' };

interface Setting {
  readonly middleware: Middleware;
  /** Replaces key material by the position of its issuer. */
  readonly supply: (index: number, material: Omit<KeyMaterial, 'id'> | undefined) => void;
  readonly refreshed: string[];
  /** What a refresh brings. */
  onRefresh: () => void;
  clock: number;
}

async function settingOf(
  config: JwtConfig,
  materials: readonly (Omit<KeyMaterial, 'id'> | undefined)[],
): Promise<Setting> {
  const references: KeyReference[] = jwtKeys(config).map((key) => ({ ...key, version: '1' }));
  const known = new Map<string, KeyMaterial>();
  const refreshed: string[] = [];
  const supply: Setting['supply'] = (index, material) => {
    const { id } = references[index] as KeyReference;
    if (material === undefined) known.delete(id);
    else known.set(id, { id, ...material });
  };
  materials.forEach((material, i) => supply(i, material));
  const setting: { -readonly [K in keyof Setting]: Setting[K] } = {
    middleware: undefined as unknown as Middleware,
    supply,
    refreshed,
    onRefresh: () => {},
    clock: nowSeconds * 1000,
  };
  const keys: KeySource = {
    get: (id) => known.get(id),
    async refresh(id) {
      refreshed.push(id);
      setting.onRefresh();
    },
  };
  setting.middleware = await build('jwt', config, contextOf({ references, keys, now: () => setting.clock }));
  return setting;
}

function sign(
  payload: JWTPayload,
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = secret,
): Promise<string> {
  return new SignJWT({ iss: hsIssuer.issuer, sub: 'ann', exp: nowSeconds + 60, ...payload })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(key);
}

function withToken(token: string, headers: readonly string[] = []): Exchange {
  return exchangeOf({ headers: ['Authorization', `Bearer ${token}`, ...headers] });
}

async function replyOf({ middleware }: Setting, exchange: Exchange): Promise<LocalReply | undefined> {
  return middleware.request?.(exchange);
}

/** `401 reason` or `200`. */
async function outcome(setting: Setting, exchange: Exchange): Promise<string> {
  const reply = await replyOf(setting, exchange);
  return reply === undefined ? '200' : `${reply.status} ${reply.reason}`;
}

describe('jwt', () => {
  const hs = (rest: Partial<JwtConfig> = {}): Promise<Setting> =>
    settingOf({ issuers: [hsIssuer], ...rest }, [{ version: '1', secret }]);

  it('answers 401 with a challenge, without an error where no token was sent', async () => {
    const setting = await hs();
    const missing = await replyOf(setting, exchangeOf());
    expect(missing).to.include({ status: 401, code: 'ERR_JWT_MISSING' });
    expect(missing?.headers).to.deep.equal(['WWW-Authenticate', 'Bearer realm="mgateway"']);
    expect(await replyOf(setting, exchangeOf({ headers: ['authorization', 'Basic abc'] }))).to.equal(missing);
    const wrong = await replyOf(setting, withToken(await sign({ exp: nowSeconds - 1 })));
    expect(wrong).to.include({ status: 401, code: 'ERR_JWT_EXPIRED' });
    expect(wrong?.headers?.[1]).to.equal(
      'Bearer realm="mgateway", error="invalid_token", error_description="The token has expired"',
    );
    const token = await sign({});
    const twice = exchangeOf({
      headers: ['authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`],
    });
    expect(await outcome(setting, twice)).to.equal('401 token_malformed');
    expect(await outcome(setting, withToken('x'.repeat(9000)))).to.equal('401 token_too_large');
  });

  it('sets headers from claims and removes every copy the client sent, also where the claim is missing', async () => {
    const setting = await hs({
      claimsToHeaders: { sub: 'X-User-Id', 'org.id': 'x-org', none: 'x-none', roles: 'x-roles' },
    });
    const forged = [
      'x-user-id',
      'root',
      'X_USER-ID',
      'root',
      'x-none',
      'root',
      'X-ORG',
      '0',
      'accept',
      '*/*',
      'x-roles',
      '["x"]',
    ];
    const token = await sign({ org: { id: 7 }, roles: ['a', 'ü'] });
    for (const round of ['fresh', 'cached']) {
      const exchange = withToken(token, forged);
      expect(await outcome(setting, exchange), round).to.equal('200');
      expect(exchange.requestHeaders.raw.slice(2), round).to.deep.equal([
        'accept', '*/*', 'X-User-Id', 'ann', 'x-org', '7', 'x-roles', Buffer.from('["a","ü"]').toString('latin1'),
      ]); // prettier-ignore
      expect(exchange.claims).to.include({ sub: 'ann' });
    }
  });

  it('refuses a claim that a header cannot carry unchanged', async () => {
    const setting = await hs({ claimsToHeaders: { sub: 'x-user' } });
    for (const sub of ['a\r\nx-admin: 1', 'a\0', ' ann', 'ann\u00a0', '\u007f']) {
      expect(await outcome(setting, withToken(await sign({ sub }))), JSON.stringify(sub)).to.equal(
        '401 claims_invalid',
      );
    }
  });

  it('answers 403 when a required claim does not hold', async () => {
    const setting = await hs({
      require: { claims: { roles: { contains: 'admin' }, 'org.plan': { equals: 'pro' } } },
    });
    const org = { plan: 'pro' };
    expect(await outcome(setting, withToken(await sign({ roles: ['user', 'admin'], org })))).to.equal('200');
    expect(await outcome(setting, withToken(await sign({ roles: 'user admin', org })))).to.equal('200');
    for (const claims of [
      { roles: ['administrator'], org },
      { roles: 'xadmin', org },
      { roles: { admin: 'admin' }, org },
      { roles: ['admin'] },
      { roles: ['admin'], org: { plan: ['pro'] } },
    ]) {
      const exchange = withToken(await sign(claims));
      expect(await replyOf(setting, exchange), JSON.stringify(claims)).to.include({
        status: 403,
        code: 'ERR_JWT_CLAIMS',
      });
      expect(exchange.claims).to.equal(undefined);
    }
  });

  it('compares times strictly and with the leeway, cached or not', async () => {
    const setting = await settingOf({ issuers: [{ ...hsIssuer, leeway: '30s' }] }, [
      { version: '1', secret },
    ]);
    const token = await sign({ nbf: nowSeconds, exp: nowSeconds + 60 });
    const at = async (seconds: number): Promise<string> => {
      setting.clock = (nowSeconds + seconds) * 1000;
      return outcome(setting, withToken(token));
    };
    expect(await at(-31)).to.equal('401 token_not_yet_valid');
    expect(await at(-30)).to.equal('200');
    expect(await at(89.999)).to.equal('200');
    expect(await at(90)).to.equal('401 token_expired');
    expect(await at(10)).to.equal('200');
    expect(await at(-31)).to.equal('401 token_not_yet_valid');
    setting.clock = nowSeconds * 1000;
    expect(await outcome(setting, withToken(await sign({ exp: undefined as unknown as number })))).to.equal(
      '200',
    );
  });

  it('answers a verified token without waiting, until its keys change', async () => {
    const setting = await hs();
    const token = await sign({});
    expect(setting.middleware.request?.(withToken(token))).to.be.instanceOf(Promise);
    expect(await outcome(setting, withToken(token))).to.equal('200');
    expect(setting.middleware.request?.(withToken(token))).to.equal(undefined);

    setting.supply(0, { version: '1', secret: secret.slice() });
    expect(setting.middleware.request?.(withToken(token)), 'the same version again').to.equal(undefined);
    setting.supply(0, { version: '2', secret: secret.slice().fill(1) });
    expect(await outcome(setting, withToken(token))).to.equal('401 signature_wrong');
    setting.supply(0, { version: '3', error: 'gone' });
    expect(await replyOf(setting, withToken(token))).to.include({
      status: 503,
      code: 'ERR_JWT_KEYS_UNAVAILABLE',
    });
    setting.supply(0, { version: '4', secret: new Uint8Array(16) });
    expect(await outcome(setting, withToken(token)), 'too short, and nothing was there').to.equal(
      '503 keys_unavailable',
    );
    setting.supply(0, { version: '5', secret });
    expect(await outcome(setting, withToken(token))).to.equal('200');
    setting.supply(0, { version: '6', secret: new Uint8Array(16) });
    expect(setting.middleware.request?.(withToken(token)), 'too short, so the old one stays').to.equal(
      undefined,
    );
  });

  it('gives every request the same claims and lets none change them', async () => {
    const setting = await hs();
    const token = await sign({ nested: { list: [{ a: 1 }] } });
    await outcome(setting, withToken(token));
    const exchange = withToken(token);
    await outcome(setting, exchange);
    const nested = exchange.claims?.['nested'] as { list: { a: number }[] };
    expect(() => ((nested.list[0] as { a: number }).a = 2)).to.throw(TypeError);
  });

  it('verifies with the keys of the issuer that the token names, and no others', async () => {
    const other = {
      issuer: 'https://other.test',
      secret: { env: 'OTHER' },
      algorithms: ['HS256'],
      audiences: ['x', 'y'],
    };
    const otherSecret = secret.slice().reverse();
    const setting = await settingOf({ issuers: [hsIssuer, other] }, [
      { version: '1', secret },
      { version: '1', secret: otherSecret },
    ]);
    const iss = other.issuer;
    expect(await outcome(setting, withToken(await sign({ iss, aud: 'y' }, {}, otherSecret)))).to.equal('200');
    expect(await outcome(setting, withToken(await sign({ iss, aud: ['z', 'x'] }, {}, otherSecret)))).to.equal(
      '200',
    );
    expect(await outcome(setting, withToken(await sign({ iss, aud: 'z' }, {}, otherSecret)))).to.equal(
      '401 claims_invalid',
    );
    expect(await outcome(setting, withToken(await sign({ iss }, {}, otherSecret)))).to.equal(
      '401 claims_invalid',
    );
    expect(await outcome(setting, withToken(await sign({ iss, aud: 'x' })))).to.equal('401 signature_wrong');
    expect(await outcome(setting, withToken(await sign({ iss: 'https://third.test' })))).to.equal(
      '401 issuer_unknown',
    );
  });

  it('asks once for newer keys about an unknown kid, and no more than once a second', async () => {
    const [first, second] = [await keyPair('k1'), await keyPair('k2')];
    const config = { issuers: [{ issuer: 'https://url.test', jwks: { url: 'http://127.0.0.1:9/jwks' } }] };
    const setting = await settingOf(config, [{ version: '1', jwks: JSON.stringify({ keys: [first.jwk] }) }]);
    const iss = 'https://url.test';
    const token = await sign({ iss }, { alg: 'ES256', kid: 'k2' }, second.privateKey);
    expect(await outcome(setting, withToken(token))).to.equal('401 key_unknown');
    expect(await outcome(setting, withToken(token)), 'within a second').to.equal('401 key_unknown');
    expect(setting.refreshed).to.have.lengthOf(1);

    setting.clock += 1000;
    setting.onRefresh = () =>
      setting.supply(0, { version: '2', jwks: JSON.stringify({ keys: [first.jwk, second.jwk] }) });
    const answers = await Promise.all([1, 2, 3].map(() => outcome(setting, withToken(token))));
    expect(answers).to.deep.equal(['200', '200', '200']);
    expect(setting.refreshed).to.have.lengthOf(2);
    const withoutKid = await sign({ iss }, { alg: 'ES256' }, second.privateKey);
    expect(await outcome(setting, withToken(withoutKid)), 'several keys fit').to.equal('200');
  });

  it('says dry what it would do, with claims standing in for a token', async () => {
    const setting = await hs({
      claimsToHeaders: { sub: 'x-user' },
      require: { claims: { scope: { contains: 'read' } } },
    });
    const { decide } = setting.middleware;
    expect(await decide(exchangeOf())).to.deep.include({
      outcome: 'reply',
      notes: ['refuses: token missing'],
    });
    const standIn = exchangeOf({ claims: { sub: 'bob', scope: 'read' }, headers: ['X-User', 'forged'] });
    expect(await decide(standIn)).to.deep.equal({
      outcome: 'continue',
      notes: ['accepts the claims given', 'sets x-user: bob'],
    });
    expect(standIn.requestHeaders.raw).to.deep.equal(['x-user', 'bob']);
    expect(await decide(exchangeOf({ claims: { sub: 'bob' } }))).to.include({ outcome: 'reply' });
    expect(await decide(withToken(await sign({ scope: 'read' })))).to.include({ outcome: 'continue' });
    setting.supply(0, undefined);
    const forgotten = await decide(withToken(await sign({ scope: 'read' })));
    expect(forgotten, 'its generation is no longer served').to.include({ outcome: 'continue' });
    setting.supply(0, { version: '2', error: 'gone' });
    expect(await decide(withToken(await sign({ scope: 'read' })))).to.include({ outcome: 'unknown' });
  });

  it('refuses rules that could be forged or that nobody can tell apart', async () => {
    const jwks = { file: 'keys.json' };
    expect(
      problemsOf('jwt', { issuers: [{ issuer: 'a', jwks, algorithms: ['RS256', 'HS256'] }] }),
    ).to.have.lengthOf(1);
    expect(
      problemsOf('jwt', { issuers: [{ issuer: 'a', secret: { env: 'A' }, algorithms: ['RS256'] }] }),
    ).to.have.lengthOf(1);
    expect(
      problemsOf('jwt', {
        issuers: [
          { issuer: 'a', jwks },
          { issuer: 'a', jwks },
        ],
      }),
    ).to.have.lengthOf(1);
    expect(problemsOf('jwt', { issuers: [{ issuer: 'a' }] })).to.have.lengthOf(1);
    const issuers = [{ issuer: 'a', jwks }];
    expect(problemsOf('jwt', { issuers, claimsToHeaders: { a: 'x-a', b: 'X_A' } })).to.have.lengthOf(1);
    expect(problemsOf('jwt', { issuers, claimsToHeaders: { a: 'Authorization' } })).to.have.lengthOf(1);
    expect(problemsOf('jwt', { issuers, claimsToHeaders: { a: 'x-a' } })).to.deep.equal([]);
    const short = await settingOf({ issuers: [hsIssuer] }, [{ version: '1', secret: secret.slice(1) }]).catch(
      String,
    );
    expect(short).to.include('has 31 bytes, HS256 needs at least 32');
  });
});

async function keyPair(kid: string): Promise<{ readonly privateKey: CryptoKey; readonly jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

interface CorpusCase {
  readonly id: string;
  readonly name: string;
  readonly route: 'main' | 'hs';
  readonly expect: 'accept' | 'reject' | 'either';
  readonly token: string;
  readonly raw_headers?: readonly (readonly [string, string])[];
}

const corpus = fileURLToPath(new URL('../../../../shared/corpus/jwt/', import.meta.url));

describe('jwt on the corpus', () => {
  it('accepts no forgery, refuses no valid token and never fails', async function () {
    if (!existsSync(corpus)) {
      console.warn(`      skipped: no corpus at ${corpus}`);
      this.skip();
    }
    const read = (name: string): string => readFileSync(corpus + name, 'utf8');
    const common = { issuer: 'https://issuer.test', audiences: ['bench'] };
    const hsSecret = Buffer.from(read('hs_secret.b64url').trim(), 'base64url');
    const settings = {
      main: await settingOf(
        {
          issuers: [
            { ...common, jwks: { file: 'jwks.json' }, algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'] },
          ],
        },
        [{ version: '1', jwks: read('jwks.json') }],
      ),
      hs: await settingOf({ issuers: [{ ...common, secret: { env: 'HS' }, algorithms: ['HS256'] }] }, [
        { version: '1', secret: hsSecret },
      ]),
    };
    const cases = read('corpus.dev.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as CorpusCase);
    expect(cases.length).to.be.greaterThan(200);
    settings.main.clock = settings.hs.clock = Date.now();
    const wrong: string[] = [];
    for (const {
      id,
      name,
      route,
      expect: expected,
      token,
      raw_headers = [['Authorization', 'Bearer {token}']],
    } of cases) {
      // As they arrive: bytes as latin1, blanks around values dropped by the parser.
      const sent = Buffer.from(token, 'utf8').toString('latin1');
      const headers = raw_headers.flatMap(([key, value]) => [
        key,
        value.replaceAll('{token}', sent).replace(/^[ \t]+|[ \t]+$/g, ''),
      ]);
      for (const round of ['fresh', 'again']) {
        const reply = await replyOf(settings[route], exchangeOf({ headers }));
        const flag =
          reply === undefined
            ? expected === 'reject'
              ? 'forged'
              : ''
            : reply.status !== 401
              ? 'failed'
              : expected === 'accept'
                ? 'refused'
                : '';
        if (flag !== '') wrong.push(`${flag} ${round} ${id} ${name} ${reply?.reason ?? ''}`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });
});
