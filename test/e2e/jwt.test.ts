import { expect } from 'chai';
import { generateKeyPair, exportJWK, SignJWT } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import { before, describe, it } from 'mocha';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanupAfterAll } from '../support/cleanup.ts';
import { echo, echoed, valuesOf } from '../support/echo.ts';
import { eventually } from '../support/eventually.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { request } from '../support/request.ts';
import type { Answer } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';
import type { RunningUpstream } from '../support/upstream.ts';

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

interface Signer {
  readonly jwk: JWK;
  sign(claims: JWTPayload): Promise<string>;
}

const secret = 'a secret of at least thirty-two bytes';

describe('jwt', () => {
  const cleanup = cleanupAfterAll();
  let gateway: RunningGateway;
  let upstream: RunningUpstream;
  let ec: Signer;
  let rsa: Signer;
  let first: Signer;
  let second: Signer;
  let keysFile: string;
  /** What the identity provider serves, and how often it was asked. */
  const provider = { keys: [] as JWK[], asked: 0 };

  const ask = (path: string, token?: string, headers: Record<string, string> = {}): Promise<Answer> =>
    request(`${gateway.url}${path}`, {
      headers: token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` },
    });

  before(async () => {
    upstream = await startUpstream(cleanup, echo());
    [ec, rsa, first, second] = await Promise.all([
      signer('ES256', 'ec-1'),
      signer('RS256', 'rsa-1'),
      signer('EdDSA', 'first'),
      signer('EdDSA', 'second'),
    ]);
    provider.keys = [first.jwk];
    const idp = await startUpstream(cleanup, (incoming, response) => {
      incoming.resume();
      provider.asked++;
      response.setHeader('content-type', 'application/jwk-set+json');
      response.end(JSON.stringify({ keys: provider.keys }));
    });
    keysFile = join(tempDir(cleanup), 'keys.json');
    writeFileSync(keysFile, JSON.stringify({ keys: [rsa.jwk] }));
    const route = (name: string, issuers: string, more = ''): string =>
      routeDocument(
        name,
        `matches: [{ path: { prefix: /${name} } }]\nmiddlewares: [{ jwt: { issuers: [${issuers}]${more} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const inline = JSON.stringify(JSON.stringify({ keys: [ec.jwk] }));
    gateway = await startGateway(cleanup, {
      env: { JWT_TEST_SECRET: secret },
      files: {
        'routes.yaml': [
          route(
            'shared',
            '{ issuer: shared, audiences: [users], secret: { env: JWT_TEST_SECRET }, algorithms: [HS256], leeway: 5s }',
            ', claimsToHeaders: { sub: x-user-id, roles: x-roles }, require: { claims: { roles: { contains: admin } } }',
          ),
          route('inline', `{ issuer: inline, jwks: { inline: ${inline} }, algorithms: [ES256] }`),
          route('file', `{ issuer: file, jwks: { file: ${keysFile} }, algorithms: [RS256, PS256] }`),
          route('remote', `{ issuer: remote, jwks: { url: "${idp.url}/jwks" }, algorithms: [EdDSA] }`),
        ].join('---\n'),
      },
    });
  });

  it('lets a valid token pass and tells the upstream who it is; copies the client sent are gone', async () => {
    const token = await hmac({ iss: 'shared', aud: 'users', sub: 'ada', roles: ['dev', 'admin'] });
    const answer = await ask('/shared', token, { 'X-User-Id': 'root', x_user_id: 'root', 'x-roles': 'god' });
    const got = echoed(answer);
    expect(valuesOf(got.rawHeaders, 'x-user-id')).to.deep.equal(['ada']);
    expect(valuesOf(got.rawHeaders, 'x_user_id')).to.deep.equal([]);
    expect(valuesOf(got.rawHeaders, 'x-roles').join()).to.include('admin').and.to.not.include('god');
    expect(got.headers['authorization']).to.equal(`Bearer ${token}`);
  });

  it('asks for a token with 401 and WWW-Authenticate where there is none, and the upstream hears nothing', async () => {
    const seen = upstream.requests.length;
    const answer = await ask('/shared', undefined, { 'x-user-id': 'root' });
    expect(answer.status).to.equal(401);
    expect(answer.headers['www-authenticate']).to.equal('Bearer realm="mgateway"');
    expect(answer.json()).to.include({ code: 'ERR_JWT_MISSING' });
    expect(upstream.requests.length).to.equal(seen);
  });

  it('refuses what is expired, not yet valid, for others, by others, forged or garbled', async () => {
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: 'shared', aud: 'users', sub: 'ada', roles: ['admin'] };
    const [head = '', , signature = ''] = (await hmac(good)).split('.');
    const swapped = Buffer.from(JSON.stringify({ ...good, sub: 'root' })).toString('base64url');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const faults: Record<string, string> = {
      expired: await hmac({ ...good, exp: now - 60 }),
      early: await hmac({ ...good, nbf: now + 60 }),
      audience: await hmac({ ...good, aud: 'orders' }),
      issuer: await hmac({ ...good, iss: 'somebody' }),
      secret: await hmac(good, 'another secret of at least thirty-two bytes'),
      swapped: `${head}.${swapped}.${signature}`,
      none: `${none}.${swapped}.`,
      garbled: 'not.a.token',
      algorithm: await ec.sign(good),
    };
    const seen = upstream.requests.length;
    for (const [what, token] of Object.entries(faults)) {
      const answer = await ask('/shared', token);
      expect(answer.status, what).to.equal(401);
      expect(answer.headers['www-authenticate'], what).to.match(
        /^Bearer realm="mgateway", error="invalid_token"/,
      );
      expect((answer.json() as { code: string }).code, what).to.equal(
        what === 'expired' ? 'ERR_JWT_EXPIRED' : 'ERR_JWT_INVALID',
      );
    }
    expect(upstream.requests.length).to.equal(seen);
    // Within the leeway it still counts.
    expect((await ask('/shared', await hmac({ ...good, exp: now - 2 }))).status).to.equal(200);
  });

  it('answers 403 when the token is good but its claims are not enough', async () => {
    const answer = await ask(
      '/shared',
      await hmac({ iss: 'shared', aud: 'users', sub: 'bob', roles: ['dev'] }),
    );
    expect(answer.status).to.equal(403);
    expect(answer.json()).to.include({ code: 'ERR_JWT_CLAIMS' });
    expect(answer.headers['www-authenticate']).to.include('error="insufficient_scope"');
  });

  it('takes keys from an inline set, and from a file that it reads again when it changes', async () => {
    expect((await ask('/inline', await ec.sign({ iss: 'inline' }))).status).to.equal(200);
    expect((await ask('/file', await rsa.sign({ iss: 'file' }))).status).to.equal(200);
    // An HMAC made with the public key's text is no signature of an RSA key.
    const confused = await hmac({ iss: 'file' }, JSON.stringify(rsa.jwk));
    expect((await ask('/file', confused)).status).to.equal(401);
    const next = await signer('RS256', 'rsa-2');
    writeFileSync(keysFile, JSON.stringify({ keys: [next.jwk] }));
    const token = await next.sign({ iss: 'file' });
    await eventually(async () => (await ask('/file', token)).status === 200);
    expect((await ask('/file', await rsa.sign({ iss: 'file' }))).status).to.equal(401);
  });

  it('goes on with the keys that it has while their file holds none, and says so', async () => {
    const third = await signer('RS256', 'rsa-3');
    const text = JSON.stringify({ keys: [third.jwk] });
    writeFileSync(keysFile, text);
    const token = await third.sign({ iss: 'file' });
    await eventually(async () => (await ask('/file', token)).status === 200);
    const problems = async (): Promise<string> => {
      const answer = await request(`${gateway.admin}/api/v1/status`);
      const { problemList } = answer.json() as {
        readonly problemList: readonly { readonly message: string }[];
      };
      return problemList.map(({ message }) => message).join();
    };
    for (const broken of [text.slice(0, 40), '{"keys": []}']) {
      writeFileSync(keysFile, broken);
      await eventually(async () => expect(await problems()).to.include('KeyUnavailable'));
      expect((await ask('/file', token)).status).to.equal(200);
      writeFileSync(keysFile, text);
      await eventually(async () => expect(await problems()).to.equal(''));
    }
  });

  it('fetches a set by URL, and again when a token names a key it does not know, but not for every such token', async () => {
    expect((await ask('/remote', await first.sign({ iss: 'remote' }))).status).to.equal(200);
    const asked = provider.asked;
    expect(asked).to.equal(1);
    provider.keys = [first.jwk, second.jwk];
    const token = await second.sign({ iss: 'remote' });
    // Right after a fetch another one waits for its cooldown of 10 s.
    await eventually(async () => (await ask('/remote', token)).status === 200, {
      withinMs: 14_000,
      everyMs: 250,
    });
    expect(provider.asked).to.equal(asked + 1);
    expect((await ask('/remote', await first.sign({ iss: 'remote' }))).status).to.equal(200);
    const forged = await signer('EdDSA', 'unknown');
    for (let i = 0; i < 20; i++) {
      expect((await ask('/remote', await forged.sign({ iss: 'remote', jti: String(i) }))).status).to.equal(
        401,
      );
    }
    expect(provider.asked).to.equal(asked + 1);
  });
});

function hmac(claims: JWTPayload, key = secret): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' });
  return ('exp' in claims ? token : token.setExpirationTime('5m')).sign(new TextEncoder().encode(key));
}

async function signer(alg: string, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const key: PrivateKey = privateKey;
  return {
    jwk,
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ alg, kid }).setExpirationTime('5m').sign(key),
  };
}
