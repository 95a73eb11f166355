import { expect } from 'chai';
import type { RouteSnapshot } from '../../../../src/snapshot/model.ts';
import { loadText } from '../../../support/load-text.ts';
import { resourceDocument } from '../../../support/resource-document.ts';

const upstreams = 'upstreams: [{ url: "http://127.0.0.1:1" }]';
const jwt = 'jwt: { issuers: [{ issuer: "https://idp/", secret: { env: S }, algorithms: [HS256] }] }';
const route = (name: string, match: string, spec = ''): string =>
  resourceDocument('Route', name, `matches: [${match}]\n${upstreams}\n${spec}`);
const guard = (spec: string): string => resourceDocument('Guard', 'g', spec);

/** Which routes the guard refuses, and the first problem of each. */
async function judge(...documents: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const loaded = await loadText({ 'a.yaml': documents.join('---\n') });
  const refused: Record<string, string> = {};
  for (const { key, json } of loaded.entries.values()) {
    if (!key.startsWith('Route/')) continue;
    const snapshot = JSON.parse(json) as RouteSnapshot;
    if (snapshot.guard === undefined) continue;
    expect(snapshot.unsecured).to.be.a('string');
    expect(snapshot.upstreams).to.deep.equal([]);
    refused[snapshot.name.slice('default/'.length)] =
      loaded.problems.find(({ message }) => message === snapshot.unsecured)?.at ?? 'no problem';
  }
  return refused;
}

describe('Guard', () => {
  const protectedAdmin = guard('routes: { pathPrefix: /admin }\nrequire: { middleware: jwt }');

  it('selects every route that can match a path under its prefix', async () => {
    const refused = await judge(
      protectedAdmin,
      route('any', '{}'),
      route('above', '{ path: { prefix: / } }'),
      route('same', '{ path: { prefix: /admin/ } }'),
      route('below', '{ path: { exact: /admin/users } }'),
      route('template', '{ path: { template: "/{area}/users" } }'),
      route('regex', '{ path: { regex: "/adm.*" } }'),
      route('unknown', '{ path: { regex: "(/a|/b).*" } }'),
      route('second', '{ path: { prefix: /other } }, { path: { exact: /admin } }'),
      route('beside', '{ path: { prefix: /administrator } }'),
      route('elsewhere', '{ path: { regex: "/users/.*" } }'),
      route('short', '{ path: { template: "/users/{id}" } }'),
    );
    expect(Object.keys(refused).sort()).to.deep.equal(
      ['above', 'any', 'below', 'regex', 'same', 'second', 'template', 'unknown'].sort(),
    );
  });

  it('is content with a middleware of the route, by name or inline, or of a Gateway', async () => {
    const admin = (name: string, uses: string): string =>
      route(name, `{ path: { prefix: /admin/${name} } }`, `middlewares: [${uses}]`);
    const auth = resourceDocument('Middleware', 'auth', jwt);
    const other = resourceDocument('Middleware', 'other', 'requestHeaders: { set: { x: "1" } }');
    expect(
      await judge(
        protectedAdmin,
        auth,
        other,
        admin('a', '{ name: auth }'),
        admin('b', `{ ${jwt} }`),
        admin('c', '{ name: other }'),
      ),
    ).to.have.keys(['c']);
    const wide = resourceDocument(
      'Gateway',
      'g',
      `listeners: [{ name: http, port: 8080 }]\nmiddlewares: [{ name: auth }]`,
    );
    expect(await judge(protectedAdmin, auth, wide, route('a', '{ path: { prefix: /admin } }'))).to.deep.equal(
      {},
    );
  });

  it('asks for a timeout and for hosts by name, of the routes that it names or of hosts that they meet', async () => {
    expect(
      await judge(
        guard('require: { timeout: true }'),
        route('no', '{}'),
        route('idle', '{}', 'timeouts: { idle: 5s }'),
        route('whole', '{}', 'timeouts: { request: 5s }'),
        route('head', '{}', 'timeouts: { attempt: 5s }'),
      ),
    ).to.have.keys(['no', 'idle']);
    expect(
      await judge(
        guard('routes: { hostnames: ["*.example.com"] }\nrequire: { noWildcardHost: true }'),
        route('any', '{}'),
        route('wild', '{}', 'hostnames: [a.example.com, "*.b.example.com"]'),
        route('wider', '{}', 'hostnames: ["*.com"]'),
        route('exact', '{}', 'hostnames: [a.example.com]'),
        route('foreign', '{}', 'hostnames: ["*.example.org"]'),
      ),
    ).to.have.keys(['any', 'wild', 'wider']);
    expect(
      await judge(
        guard('routes: { names: [a, other/b] }\nrequire: { timeout: true }'),
        route('a', '{}'),
        route('b', '{}'),
      ),
    ).to.have.keys(['a']);
  });

  it('says which Guard asks for what, with both places', async () => {
    const { problems } = await loadText({
      'guards.yaml': protectedAdmin,
      'routes.yaml': route('a', '{ path: { prefix: /admin } }', 'middlewares: []'),
    });
    expect(problems).to.deep.equal([
      {
        at: 'routes.yaml:7:16',
        path: 'spec.middlewares',
        message: 'has no jwt middleware, as Guard default/g (guards.yaml:1:1) requires',
      },
    ]);
  });

  it('must name a type of middleware that there is', async () => {
    const { problems } = await loadText({ 'g.yaml': guard('require: { middleware: jvt }') });
    expect(problems[0]).to.include({ at: 'g.yaml:5:26', hint: 'did you mean "jwt"?' });
  });
});
