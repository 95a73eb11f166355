import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import type { GenerationRecord } from '../../src/controller/status/view.ts';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { routeDocument, startGateway } from '../support/gateway.ts';
import type { RunningGateway } from '../support/gateway.ts';
import { runProgram } from '../support/program.ts';
import { request } from '../support/request.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

interface Status {
  readonly ready: boolean;
  readonly generation: number;
  readonly pin: { readonly generation: number; readonly until: number | null } | null;
  readonly list: readonly {
    readonly kind: string;
    readonly conditions: readonly { type: string; reason: string }[];
  }[];
}

describe('time travel', () => {
  const cleanup = cleanupAfterEach();

  async function start() {
    const upstream = await startUpstream(cleanup, (_request, response) => response.end('upstream'));
    const route = (prefix: string): string =>
      routeDocument(
        'a',
        `matches: [{ path: { prefix: ${prefix} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const tokenFile = join(tempDir(cleanup), 'token');
    writeFileSync(tokenFile, 'the-token-of-this-test\n');
    const gateway = await startGateway(cleanup, {
      files: { 'a.yaml': route('/one') },
      gatewaySpec: 'generationHeader: x-generation',
      args: ['--admin-token-file', tokenFile, '--access-log', '--log-format', 'json'],
    });
    const env = { MGATEWAY_ADMIN: new URL(gateway.admin).host, MGATEWAY_ADMIN_TOKEN_FILE: tokenFile };
    const run = (...args: readonly string[]) => runProgram(cleanup, args, { env });
    return { gateway, route, run, tokenFile };
  }

  const answerOf = async (gateway: RunningGateway, path: string): Promise<[number, number]> => {
    const { status, headers } = await request(`${gateway.url}${path}`);
    return [status, Number(headers['x-generation'])];
  };

  it('goes back to a generation and forth again, and says so everywhere', async () => {
    const { gateway, route, run } = await start();
    const one = await gateway.generation();
    expect(await answerOf(gateway, '/one')).to.deep.equal([200, one]);
    await gateway.reload(() => gateway.write('a.yaml', route('/two')));
    const two = await gateway.generation();
    // The gateway's own answers carry it too.
    expect(await answerOf(gateway, '/one')).to.deep.equal([404, two]);

    const back = await run('rollback', String(one), '--for', '30m');
    expect([back.code, back.stderr]).to.deep.equal([0, '']);
    expect(back.stdout).to.match(
      /^generation \d+ is served again, as \d+; pinned until the source changes or /,
    );
    const [status, pinned] = await answerOf(gateway, '/one');
    expect([status, pinned > two]).to.deep.equal([200, true]);
    await eventually(async () => expect(await gateway.metric('mgateway_config_pinned')).to.equal(1));
    expect(await gateway.generation()).to.equal(pinned);

    const told = await run('status', '--output', 'json');
    expect(told.code).to.equal(0);
    const report = JSON.parse(told.stdout) as Status;
    expect(report).to.include({ ready: true, generation: pinned });
    expect(report.pin).to.include({ generation: one });
    const programmed = report.list
      .find(({ kind }) => kind === 'Route')
      ?.conditions.find(({ type }) => type === 'Programmed');
    expect(programmed).to.include({ status: 'False', reason: 'Pinned' });
    expect((await run('status')).stdout)
      .to.match(/^pinned {6}generation 1 since /m)
      .and.to.include('Route')
      .and.to.match(
        new RegExp(
          `^  ${pinned}  .*Z  rollback to 1  \\(served now\\)\n  ${two}  .*Z  .*Route/default/`,
          'm',
        ),
      );

    const resumed = await run('resume');
    expect([resumed.code, resumed.stderr]).to.deep.equal([0, '']);
    const last = await gateway.generation();
    expect(await answerOf(gateway, '/one')).to.deep.equal([404, last]);
    expect(await answerOf(gateway, '/two')).to.deep.equal([200, last]);
    expect(last).to.be.above(pinned);
    await eventually(async () => expect(await gateway.metric('mgateway_config_pinned')).to.equal(0));
    const { generations } = (await request(`${gateway.admin}/api/v1/generations`)).json() as {
      generations: readonly { generation: number; rollbackOf?: number; restorable: boolean }[];
    };
    expect(generations.map(({ generation, rollbackOf }) => [generation, rollbackOf])).to.deep.equal([
      [one, undefined],
      [two, undefined],
      [pinned, one],
      [last, undefined],
    ]);

    // Every line of the access log says which generation answered.
    const lines = (): readonly { path: string; generation: number; status: number }[] =>
      gateway
        .stdout()
        .split('\n')
        .filter((line) => line.includes('"status"'))
        .map((line) => JSON.parse(line) as { path: string; generation: number; status: number });
    await eventually(() => expect(lines()).to.have.length(5));
    expect(lines().map(({ status: code, generation }) => [code, generation])).to.deep.equal([
      [200, one],
      [404, two],
      [200, pinned],
      [404, last],
      [200, last],
    ]);
  });

  it('keeps serving the pinned generation when its config thread is told of the same source again', async () => {
    const { gateway, route, run } = await start();
    const one = await gateway.generation();
    await gateway.reload(() => gateway.write('a.yaml', route('/two')));
    expect((await run('rollback', String(one))).code).to.equal(0);
    const [, pinned] = await answerOf(gateway, '/one');
    gateway.process.kill('SIGHUP');
    gateway.write('a.yaml', route('/two'));
    gateway.write('broken.yaml', 'kind: [');
    await eventually(async () =>
      expect((await run('status')).stdout).to.match(/^problems:\n {2}\S+broken\.yaml:1/m),
    );
    expect(await answerOf(gateway, '/one')).to.deep.equal([200, pinned]);
    gateway.remove('broken.yaml');
    await gateway.reload(() => gateway.write('a.yaml', route('/three')));
    await eventually(async () => expect((await answerOf(gateway, '/three'))[0]).to.equal(200));
    expect(await gateway.metric('mgateway_config_pinned')).to.equal(0);
  });

  it('goes on over a restart with --state-dir: the list, the numbers, and the way back', async () => {
    const upstream = await startUpstream(cleanup, (_request, response) => response.end('upstream'));
    const [state, secrets] = [join(tempDir(cleanup), 'state'), tempDir(cleanup)];
    const [tokenFile, secret] = [join(secrets, 'token'), join(secrets, 'secret')];
    writeFileSync(tokenFile, 'the-token-of-this-test\n');
    writeFileSync(secret, 'a-secret-of-this-test-0123456789abcdef');
    const route = (prefix: string): string =>
      routeDocument(
        'a',
        `matches: [{ path: { prefix: ${prefix} } }]\nupstreams: [{ url: "${upstream.url}" }]`,
      );
    const jwt = `middlewares: [{ jwt: { issuers: [{ issuer: i, secret: { file: ${secret} }, algorithms: [HS256] }] } }]`;
    const locked = routeDocument(
      'locked',
      `matches: [{ path: { prefix: /locked } }]\n${jwt}\nupstreams: [{ url: "${upstream.url}" }]`,
    );
    const args = ['--state-dir', state, '--admin-token-file', tokenFile];
    const first = await startGateway(cleanup, {
      files: { 'a.yaml': route('/one'), 'locked.yaml': locked },
      gatewaySpec: 'generationHeader: x-generation',
      args,
    });
    const one = await first.generation();
    await first.reload(() => first.write('a.yaml', route('/two')));
    await first.reload(() => first.write('a.yaml', route('/three')));
    const three = await first.generation();
    await first.stop();

    const second = await startGateway(cleanup, { dir: first.dir, port: first.port, args });
    const restarted = await second.generation();
    expect(restarted).to.equal(three + 1);
    const { generations } = (await request(`${second.admin}/api/v1/generations`)).json() as {
      generations: readonly GenerationRecord[];
    };
    expect(generations.map(({ generation, restorable }) => [generation, restorable])).to.deep.equal(
      [one, one + 1, three, restarted].map((generation) => [generation, true]),
    );
    expect(generations[2]?.changes).to.deep.equal([
      {
        key: 'Route/default/a',
        change: 'changed',
        fields: [{ path: 'matches[0].path.value', from: '/two', to: '/three' }],
        fieldCount: 1,
      },
    ]);
    // Secrets have other versions in another process: that is no change.
    expect(generations[3]).to.deep.include({ added: 0, changed: 0, removed: 0, changes: [] });

    const env = { MGATEWAY_ADMIN: new URL(second.admin).host, MGATEWAY_ADMIN_TOKEN_FILE: tokenFile };
    const back = await runProgram(cleanup, ['rollback', String(one)], { env });
    expect([back.code, back.stderr]).to.deep.equal([0, '']);
    expect(await answerOf(second, '/one')).to.deep.equal([200, restarted + 1]);
    expect((await request(`${second.url}/three`)).status).to.equal(404);
    expect((await request(`${second.url}/locked`)).status).to.equal(401);
    expect(readFileSync(join(state, 'history.jsonl'), 'utf8')).not.to.contain('a-secret-of-this-test');
    await second.stop();
  });

  it('tells by exit codes what went wrong, and by health whether it is ready', async () => {
    const { gateway, run, tokenFile } = await start();
    expect(await run('health')).to.deep.include({ code: 0, stdout: 'ready\n' });
    const unknown = await run('rollback', '99');
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      1,
      'generation 99 is not among those that are kept (404 ERR_ADMIN_GENERATION_UNKNOWN)\n',
    ]);
    expect((await run('rollback', 'one')).code).to.equal(2);
    expect((await run('rollback', '1', '--for', 'soon')).code).to.equal(2);
    writeFileSync(`${tokenFile}.wrong`, 'another-token-than-that\n');
    const wrong = await run('resume', '--token-file', `${tokenFile}.wrong`);
    expect(`${wrong.code},${wrong.stderr}`).to.match(/^1,.*401 ERR_ADMIN_UNAUTHORIZED/);
    const nobody = `127.0.0.1:${await freePort()}`;
    for (const command of [['health'], ['status'], ['resume'], ['rollback', '1']]) {
      const { code, stderr } = await run(...command, '--admin', nobody);
      expect(`${code},${stderr}`, command[0]).to.match(/^1,.*nothing listens there/);
    }
    gateway.remove('a.yaml');
    gateway.remove('gateway.yaml');
    await gateway.stop();
    expect((await run('health')).code).to.equal(1);
  });
});
