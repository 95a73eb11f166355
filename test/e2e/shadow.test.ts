import { createHmac } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { ShadowReport } from '../../src/shadow/report.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { gatewayDocument, routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { request } from '../support/request.ts';
import { resourceDocument } from '../support/resource-document.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';
import type { RunningUpstream } from '../support/upstream.ts';
import { openConnection } from './reload/connection.ts';

const secret = 'k'.repeat(64);
const jwt = (name: string, keys = 'secret: { env: SHADOW_SECRET }, algorithms: [HS256]'): string =>
  resourceDocument('Middleware', name, `jwt: { issuers: [{ issuer: idp, ${keys} }] }`);

function tokenSignedBy(key: string): string {
  const [head, body] = [{ alg: 'HS256' }, { iss: 'idp' }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signed = `${head}.${body}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** Of the algorithm that a key set would be fetched for. */
const rs256 = ['{"alg":"RS256","kid":"k"}', '{"iss":"idp"}', 'signature']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

interface Setting {
  readonly gateway: RunningGateway;
  readonly served: RunningUpstream;
  /** Where the candidate would send requests. */
  readonly unused: RunningUpstream;
  /** Puts a file of the candidate in place at once. */
  readonly propose: (file: string, text: string) => void;
  readonly report: () => Promise<ShadowReport>;
  /** Waits until so many requests have been compared or dropped. */
  readonly afterComparing: (requests: number) => Promise<ShadowReport>;
}

describe('serve --shadow', () => {
  const cleanup = cleanupAfterEach();

  async function start(
    files: (upstream: string) => readonly string[],
    candidate: (upstream: string, unused: string) => readonly string[],
    args: readonly string[] = [],
  ): Promise<Setting> {
    const served = await startUpstream(cleanup, (_request, response) => response.end('served'));
    const unused = await startUpstream(cleanup);
    const port = await freePort();
    const dir = tempDir(cleanup);
    const propose = (file: string, text: string): void => {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, `.${file}`), text);
      renameSync(join(dir, `.${file}`), join(dir, file));
    };
    propose('gateway.yaml', gatewayDocument(port));
    propose('routes.yaml', candidate(served.url, unused.url).join('---\n'));
    const gateway = await startGateway(cleanup, {
      port,
      files: { 'routes.yaml': files(served.url).join('---\n') },
      args: ['--shadow', dir, '--log-format', 'json', ...args],
      env: { SHADOW_SECRET: secret },
    });
    const report = async (): Promise<ShadowReport> =>
      (await request(`${gateway.admin}/api/v1/shadow`)).json() as ShadowReport;
    await eventually(async () => expect(await report()).to.include({ enabled: true, comparing: true }));
    const afterComparing = (count: number): Promise<ShadowReport> =>
      eventually(async () => {
        const told = await report();
        expect(decided(told), JSON.stringify(told)).to.equal(count);
        return told;
      });
    return { gateway, served, unused, propose, report, afterComparing };
  }

  const run = (gateway: RunningGateway, ...args: readonly string[]) =>
    runProgram(cleanup, ['shadow', ...args], {
      env: { MGATEWAY_ADMIN: new URL(gateway.admin).host },
    });

  /** What `mgateway status` says of it. */
  const statusLine = async (gateway: RunningGateway): Promise<string> => {
    const { stdout } = await runProgram(cleanup, ['status'], {
      env: { MGATEWAY_ADMIN: new URL(gateway.admin).host },
    });
    return stdout.split('\n').find((line) => line.startsWith('shadow')) ?? '';
  };

  it('tells by route how many live requests the candidate would change and how, and sends none of them', async () => {
    const { gateway, served, unused, afterComparing } = await start(
      (url) => [
        ...['same', 'taken', 'signed', 'moved', 'marked', 'elsewhere', 'gone', 'limited', 'remote'].map(
          (name) => route(name, url),
        ),
        route('tokens', url, 'middlewares: [{ name: auth }]'),
        jwt('auth'),
      ],
      (url, other) => [
        route('same', url),
        ...['taken', 'moved-too'].map((name) =>
          routeDocument(name, `matches: [{ path: { prefix: /${name} } }]\nupstreams: [{ url: "${url}" }]`),
        ),
        routeDocument(
          'winner',
          `priority: 1\nmatches: [{ path: { prefix: /taken } }]\nupstreams: [{ url: "${url}" }]`,
        ),
        route('signed', url, 'middlewares: [{ name: auth }]'),
        route('moved', url, 'middlewares: [{ rewrite: { stripPrefix: /moved } }]'),
        route('marked', url, 'middlewares: [{ requestHeaders: { set: { x-mark: new }, remove: [cookie] } }]'),
        route('elsewhere', other),
        route('limited', url, 'middlewares: [{ rateLimit: { requests: 1, per: 1s } }]'),
        route('remote', url, 'middlewares: [{ name: remote }]'),
        jwt('remote', `jwks: { url: "${other}/jwks.json" }, algorithms: [RS256]`),
        route('tokens', url, 'middlewares: [{ name: auth }]'),
        jwt('auth'),
      ],
    );
    const [good, bad] = [tokenSignedBy(secret), tokenSignedBy('another key')];
    const headersOf = (token: string) => ({
      authorization: `Bearer ${token}`,
      cookie: 'session=s3cr3t-cookie',
    });
    const query = `?access_token=${good}&password=s3cr3t-query`;
    for (const name of ['same', 'taken', 'moved', 'marked', 'elsewhere', 'gone', 'nowhere', 'limited'])
      await request(`${gateway.url}/${name}/7${query}`, { headers: headersOf(good) });
    await request(`${gateway.url}/signed/7`);
    await request(`${gateway.url}/signed/8`, { headers: headersOf(bad) });
    await request(`${gateway.url}/signed/9`, {
      method: 'POST',
      body: 'of some length',
      headers: headersOf(good),
    });
    expect((await request(`${gateway.url}/tokens/7`, { headers: headersOf(bad) })).status).to.equal(401);
    await request(`${gateway.url}/remote/7`, { headers: headersOf(rs256) });

    const report = await afterComparing(13);
    expect(report.requests).to.deep.equal({ same: 4, changed: 7, uncertain: 2 });
    expect(report.candidate).to.deep.include({ problems: [] });
    const rows = Object.fromEntries(
      report.routes.map(({ route: name, same, changed, uncertain, changes }) => [
        name,
        [same, changed, uncertain, changes],
      ]),
    );
    expect(rows).to.deep.equal({
      'default/same': [1, 0, 0, {}],
      'default/tokens': [1, 0, 0, {}],
      _none: [1, 0, 0, {}],
      'default/taken': [0, 1, 0, { route: 1 }],
      'default/moved': [0, 1, 0, { url: 1 }],
      'default/marked': [0, 1, 0, { headers: 1 }],
      'default/elsewhere': [0, 1, 0, { upstream: 1 }],
      'default/gone': [0, 1, 0, { route: 1, status: 1 }],
      'default/signed': [1, 2, 0, { status: 2 }],
      'default/limited': [0, 0, 1, { middleware: 1 }],
      'default/remote': [0, 0, 1, { middleware: 1 }],
    });
    const examples = (name: string) =>
      report.routes.find((each) => each.route === `default/${name}`)?.examples ?? [];
    expect(examples('signed')[0]).to.deep.include({
      count: 2,
      certain: true,
      host: '127.0.0.1',
      changes: ['status'],
    });
    // One of both, which may have come in the same second.
    expect(examples('signed')[0]?.to).to.match(/^route default\/signed: 401 ERR_JWT_(MISSING|INVALID)$/);
    expect(examples('remote')[0]).to.deep.include({ count: 1, certain: false, path: '/remote/7' });
    expect(examples('marked')[0]?.fields).to.deep.equal(['requestHeaders.cookie', 'requestHeaders.x-mark']);

    const text = await run(gateway);
    expect([text.code, text.stderr]).to.deep.equal([1, '']);
    expect(text.stdout).to.include('13 compared: 4 the same, 7 changed, 2 perhaps');
    expect(text.stdout).to.include('  2 × status, such as ');
    const json = await run(gateway, '--output', 'json');
    expect((JSON.parse(json.stdout) as ShadowReport).requests).to.deep.equal(report.requests);

    const series = (name: string, labels: string): Promise<number> =>
      gateway.metric(`mgateway_shadow_${name}{${labels}}`);
    await eventually(async () =>
      expect(await series('requests_total', 'route="default/signed",result="changed"')).to.equal(2),
    );
    expect(await series('requests_total', 'route="default/same",result="same"')).to.equal(1);
    expect(await series('requests_total', 'route="default/limited",result="uncertain"')).to.equal(1);
    expect(await series('changes_total', 'route="default/moved",change="url"')).to.equal(1);

    expect(unused.requests).to.have.length(0);
    // All but the refused one and those without a route, once each.
    expect(served.requests).to.have.length(11);
    const said = [JSON.stringify(report), text.stdout, await gateway.metrics(), gateway.output()].join('\n');
    expect(said).not.to.match(/s3cr3t|eyJ/);
  });

  it('takes no token from any limit', async () => {
    const limit = (url: string): string =>
      route('limited', url, 'middlewares: [{ rateLimit: { requests: 3, per: 24h } }]');
    const { gateway, afterComparing } = await start(
      (url) => [limit(url)],
      (_url, other) => [limit(other)],
    );
    const statuses: number[] = [];
    for (let i = 1; i <= 4; i++) {
      statuses.push((await request(`${gateway.url}/limited`)).status);
      await afterComparing(i);
    }
    expect(statuses).to.deep.equal([200, 200, 200, 429]);
  });

  it('follows the candidate and what is served, and stops comparing while the candidate is broken', async () => {
    const { gateway, propose, report, afterComparing } = await start(
      (url) => [route('a', url)],
      (_url, other) => [route('a', other)],
    );
    const ask = async (): Promise<void> => {
      expect((await request(`${gateway.url}/a`)).status).to.equal(200);
    };
    await ask();
    const first = await afterComparing(1);
    expect(first.requests).to.include({ changed: 1 });
    const generation = await gateway.generation();

    propose('broken.yaml', 'apiVersion: mgateway.dev/v1alpha1\nkind: Rout\n');
    const broken = await eventually(async () => {
      const told = await report();
      expect(told.comparing).to.equal(false);
      return told;
    });
    expect(broken.candidate.problems[0]?.at).to.match(/broken\.yaml:2:7$/);
    await ask();
    await eventually(async () =>
      expect(await gateway.metric('mgateway_shadow_dropped_total{reason="candidate"}')).to.equal(1),
    );
    const told = await run(gateway);
    expect(told.code).to.equal(1);
    expect(told.stdout).to.match(/^comparing {2}NO: nothing can be told while .* it has 1, listed below$/m);
    expect(await statusLine(gateway)).to.match(/^shadow {6}NOTHING IS COMPARED: \S+ has 1 problem /);
    expect(told.stdout).to.match(/^problems of the candidate:\n {2}\S+broken\.yaml:2:7 /m);
    const line = gateway
      .stderr()
      .split('\n')
      .find((each) => each.includes('broken.yaml'));
    expect(JSON.parse(line ?? '{}')).to.deep.include({ message: 'configuration problem', shadow: true });
    // Of what is served all is well.
    expect(await gateway.metric('mgateway_config_last_reload_successful')).to.equal(1);
    expect(await gateway.generation()).to.equal(generation);

    propose('broken.yaml', '');
    await eventually(async () => expect((await report()).comparing).to.equal(true));
    await ask();
    expect((await afterComparing(1)).requests).to.include({ changed: 1 });
    expect(await statusLine(gateway)).to.match(/^shadow {6}1 of 1 requests would change, by \S+ /);

    // What is served becomes what was proposed: nothing is left to change.
    const proposed = (await report()).routes[0]?.examples[0]?.to.split(' to ')[1] ?? '';
    await gateway.reload(() => gateway.write('routes.yaml', route('a', proposed)));
    await eventually(async () =>
      expect((await report()).served.generation).to.equal(await gateway.generation()),
    );
    await ask();
    expect((await afterComparing(1)).requests).to.deep.equal({ same: 1, changed: 0, uncertain: 0 });
    expect((await run(gateway)).code).to.equal(0);
  });

  it('counts what it cannot keep up with, while traffic goes on', async () => {
    const { gateway, propose, report } = await start(
      (url) => [route('a', url)],
      (url) => [route('a', url)],
    );
    const many = (seed: string): string =>
      Array.from({ length: 4_000 }, (_, i) => route(`r${i}`, `http://${seed}.test:1`)).join('---\n');
    const connection = await openConnection(cleanup, gateway.port);
    const long = 'x'.repeat(12_000);
    const dropped = (): Promise<number> => gateway.metric('mgateway_shadow_dropped_total{reason="behind"}');
    let sent = 0;
    // The thread is busy with its files, and its rings hold a mebibyte.
    for (let round = 0; round < 20 && (await dropped()) === 0; round++) {
      propose('many.yaml', many(`u${round}`));
      for (let i = 0; i < 300; i++) {
        expect((await connection.get('/a', { 'x-long': long })).status).to.equal(200);
        sent++;
      }
    }
    expect(await dropped()).to.be.above(0);
    const total = async (): Promise<number> =>
      [
        ...(await gateway.metrics()).matchAll(/^mgateway_shadow_(?:requests|dropped)_total\{.*\} (\d+)$/gm),
      ].reduce((sum, [, count]) => sum + Number(count), 0);
    await eventually(async () => expect(await total()).to.equal(sent));
    await eventually(async () => expect((await report()).comparing).to.equal(true));
    expect((await request(`${gateway.url}/a`)).status).to.equal(200);
  });

  it('never runs a module of the candidate, and goes on with the worker that replaces a dead one', async () => {
    const modules = tempDir(cleanup);
    writeFileSync(
      join(modules, 'ends.mjs'),
      `export default () => ({ request(exchange) { if (exchange.path === '/a/end') process.exit(7); } });\n`,
    );
    const withModule = (url: string): string =>
      route('a', url, 'middlewares: [{ module: { path: ends.mjs } }]');
    const { gateway, afterComparing } = await start(
      (url) => [withModule(url), route('b', url)],
      (url) => [withModule(url), route('b', url, 'middlewares: [{ module: { path: ends.mjs } }]')],
      ['--modules-dir', modules, '--workers', '1'],
    );
    await request(`${gateway.url}/a/end`).catch(() => undefined);
    await eventually(async () => expect(await gateway.metric('mgateway_worker_restarts_total')).to.equal(1));
    await eventually(async () => expect((await request(`${gateway.url}/a`)).status).to.equal(200));
    const before = decided(await afterComparing(2));
    await request(`${gateway.url}/b`);
    const { requests, routes } = await afterComparing(before + 1);
    expect(requests).to.include({ same: 2, uncertain: 1 });
    expect(routes[0]).to.deep.include({ route: 'default/b', changes: { middleware: 1 } });
  });

  it('says that nobody asked for it where nobody did', async () => {
    const gateway = await startGateway(cleanup);
    expect((await request(`${gateway.admin}/api/v1/shadow`)).json()).to.deep.equal({ enabled: false });
    const { code, stderr } = await run(gateway);
    expect(`${code},${stderr}`).to.match(/^1,.*start serve with --shadow/);
  });
});

function route(name: string, url: string, more = ''): string {
  return routeDocument(
    name,
    `matches: [{ path: { prefix: /${name} } }]\n${more}\nupstreams: [{ url: "${url}" }]`,
  );
}

function decided({ requests, dropped }: ShadowReport): number {
  return [...Object.values(requests), ...Object.values(dropped)].reduce((sum, count) => sum + count, 0);
}
