import { expect } from 'chai';
import fc from 'fast-check';
import type { KeySource } from '../../../src/middleware/contract.ts';
import { Comparer } from '../../../src/shadow/comparer.ts';
import type { ChangeDescription, Comparison } from '../../../src/shadow/comparer.ts';
import { createConfiguration } from '../../../src/shadow/configuration.ts';
import type { Configuration } from '../../../src/shadow/configuration.ts';
import { HeaderList } from '../../../src/routing/header-list.ts';
import type { Arrival } from '../../../src/simulation/request.ts';
import type { TappedRequest } from '../../../src/telemetry/request-tap.ts';
import { loadText } from '../../support/load-text.ts';
import { resourceDocument } from '../../support/resource-document.ts';

const noKeys: KeySource = { get: () => undefined, refresh: () => Promise.resolve() };
const gateway = (listeners = 'http, port: 8080'): string =>
  resourceDocument('Gateway', 'g', `listeners: [{ name: ${listeners} }]`);
const route = (name: string, more = '', match = `path: { prefix: /${name} }`): string =>
  resourceDocument(
    'Route',
    name,
    `matches: [{ ${match} }]\n${more}\nupstreams: [{ url: "http://10.0.0.1:1" }]`,
  );

async function load(...documents: readonly string[]): Promise<Configuration> {
  const text = documents.some((each) => each.includes('kind: Gateway'))
    ? documents
    : [gateway(), ...documents];
  const { entries, problems } = await loadText({ 'a.yaml': text.join('---\n') });
  expect(problems.filter(({ message }) => !message.includes('modules'))).to.deep.equal([]);
  return createConfiguration(1, entries, { previous: undefined, keys: noKeys });
}

const tapped = (target: string, request: Partial<TappedRequest> = {}): TappedRequest => ({
  generation: 1,
  tls: false,
  peer: '127.0.0.1',
  listener: 'http',
  method: 'GET',
  authority: 'a.test',
  target,
  headers: ['host', 'a.test'],
  ...request,
});

/** What a comparison says, described where something changes. */
async function compared(
  served: Configuration,
  candidate: Configuration,
  request: TappedRequest,
): Promise<
  Pick<Comparison, 'route' | 'result'> & Partial<ChangeDescription> & { changes?: readonly string[] }
> {
  const { change, ...rest } = await new Comparer(served, candidate).compare(request);
  return { ...rest, ...(change !== undefined && { changes: change.changes, ...change.describe() }) };
}

describe('Comparer', () => {
  it('waits for nothing where a request meets the same definitions', async () => {
    const served = await load(route('a'), route('b'));
    const candidate = await load(route('a'), route('b', 'hostnames: [b.test]'));
    const comparer = new Comparer(served, candidate);
    expect(comparer.compare(tapped('/a/7'))).to.deep.equal({ route: 'default/a', result: 'same' });
    expect(comparer.compare(tapped('/nowhere'))).to.deep.equal({ route: '_none', result: 'same' });
    expect(comparer.compare(tapped('*', { method: 'OPTIONS', authority: '' }))).to.deep.equal({
      route: '_none',
      result: 'same',
    });
    expect(await compared(served, candidate, tapped('/b'))).to.include({
      route: 'default/b',
      result: 'changed',
    });
  });

  it('tells routes apart that allow other methods where none takes a request', async () => {
    const post = route('a', '', 'path: { prefix: /a }, methods: [POST]');
    const put = route('a', '', 'path: { prefix: /a }, methods: [PUT]');
    const change = await compared(await load(post), await load(put), tapped('/a'));
    expect(change).to.deep.include({ route: '_none', result: 'changed', changes: ['status'] });
  });

  it('sees through definitions that differ to decisions that do not', async () => {
    const served = await load(route('a', 'timeouts: { request: 3s }'));
    const candidate = await load(route('a', 'timeouts: { request: 4s }'));
    expect(await compared(served, candidate, tapped('/a'))).to.deep.equal({
      route: 'default/a',
      result: 'same',
    });
  });

  it('knows a listener by its port, whatever it is called', async () => {
    const served = await load(gateway('http, port: 8080'), route('a', 'listeners: [http]'));
    const renamed = await load(gateway('web, port: 8080'), route('a', 'listeners: [web]'));
    expect(await compared(served, renamed, tapped('/a'))).to.include({ result: 'same' });
    const elsewhere = await load(gateway('http, port: 9090'), route('a', 'listeners: [http]'));
    expect(await compared(served, elsewhere, tapped('/a?b=c'))).to.deep.equal({
      route: 'default/a',
      result: 'changed',
      changes: ['listener'],
      method: 'GET',
      host: 'a.test',
      path: '/a',
      from: 'listener http',
      to: 'nothing listens on port 8080',
      fields: [],
    });
  });

  it('is not certain of what a module or a key would say, even if all else is alike', async () => {
    const withModule = (options: string): Promise<Configuration> =>
      load(route('a', `middlewares: [{ module: { path: m.mjs, options: { ${options} } } }]`));
    const served = await withModule('x: 1');
    expect(await compared(served, await withModule('x: 1'), tapped('/a'))).to.include({ result: 'same' });
    const change = await compared(served, await withModule('x: 2'), tapped('/a'));
    expect(change).to.deep.include({ result: 'uncertain', changes: ['middleware'] });
  });

  it('takes no notice of other middlewares that change nothing, but of limits', async () => {
    const served = await load(route('a'));
    const noop = await load(route('a', 'middlewares: [{ rewrite: { stripPrefix: /elsewhere } }]'));
    expect(await compared(served, noop, tapped('/a'))).to.deep.equal({ route: 'default/a', result: 'same' });
    const limited = (requests: number): Promise<Configuration> =>
      load(route('a', `middlewares: [{ rateLimit: { requests: ${requests}, per: 1s } }]`));
    const [narrow, wide] = [await limited(1), await limited(2)];
    for (const before of [served, wide]) {
      const change = await compared(before, narrow, tapped('/a'));
      expect(change).to.deep.include({ result: 'uncertain', changes: ['middleware'] });
      expect(change.fields).to.deep.equal(['default/a#rateLimit.0']);
    }
    const moved = route(
      'a',
      'middlewares: [{ rateLimit: { requests: 1, per: 1s } }, { rewrite: { path: /b } }]',
    );
    const both = await compared(narrow, await load(moved), tapped('/a'));
    expect(both).to.deep.include({ result: 'changed', changes: ['url'] });
  });

  it('never shows queries, values of headers or tokens', async () => {
    const jws = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiI3In0', 'c2lnbmF0dXJl'].join('.');
    const secrets = [jws, 's3cr3t'];
    const served = await load(route('a'));
    const candidate = await load(
      route(
        'a',
        'middlewares: [{ requestHeaders: { remove: [cookie, authorization] } }, { query: { set: { key: s3cr3t } } }]',
      ),
    );
    const request = tapped(`/a/${jws}?token=${jws}&password=s3cr3t`, {
      headers: ['host', 'a.test', 'Cookie', 's3cr3t', 'Authorization', `Bearer ${jws}`],
    });
    const change = await compared(served, candidate, request);
    expect(change.changes).to.deep.equal(['url', 'headers']);
    expect(change.fields).to.deep.equal(['query', 'requestHeaders.cookie', 'requestHeaders.authorization']);
    for (const secret of secrets) expect(JSON.stringify(change)).not.to.include(secret);
    const long = await compared(served, candidate, tapped(`/a/${'x'.repeat(8_000)}`));
    expect(JSON.stringify(long).length).to.be.below(1_500);
  });

  it('agrees with itself: where it sees the same definitions, the decisions are the same', async () => {
    const middlewares = [
      '',
      'middlewares: [{ rewrite: { stripPrefix: /a } }]',
      'middlewares: [{ requestHeaders: { set: { x-a: "1" } } }]',
      'middlewares: [{ rateLimit: { requests: 1, per: 1s, key: [{ header: x }] } }]',
    ];
    const matches = [
      'path: { prefix: /a }',
      'path: { exact: /a/b }',
      'path: { template: "/a/{x}" }, methods: [GET]',
    ];
    const configuration = fc.array(
      fc.record({
        match: fc.constantFrom(...matches),
        more: fc.constantFrom(...middlewares),
        priority: fc.nat(1),
      }),
      { maxLength: 3 },
    );
    const arrival = fc.record({
      method: fc.constantFrom('GET', 'PUT'),
      target: fc.constantFrom('/a', '/a/b', '/a/b/c', '/A/b', '/x', '/a/%2e'),
    });
    await fc.assert(
      fc.asyncProperty(configuration, configuration, arrival, async (one, other, { method, target }) => {
        const built = async (routes: typeof one): Promise<Configuration> =>
          load(
            ...routes.map(({ match, more, priority }, i) =>
              route(`r${i}`, `priority: ${priority}\n${more}`, match),
            ),
          );
        const [{ simulator: a }, { simulator: b }] = [await built(one), await built(other)];
        const headers = new HeaderList(['host', 'a.test']);
        const request: Arrival = {
          method,
          target,
          headers,
          scheme: 'http',
          authority: 'a.test',
          listener: 'http',
          peer: '127.0.0.1',
        };
        const [here, there] = [a.outlineArrival(request), b.outlineArrival(request)];
        if (here.text !== there.text) return;
        expect(here.route).to.equal(there.route);
        expect(await a.decideArrival(request)).to.deep.equal(await b.decideArrival(request));
        expect(headers.raw).to.deep.equal(['host', 'a.test']);
      }),
      { numRuns: 40 },
    );
  });
});
