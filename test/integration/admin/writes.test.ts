import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createAdminServer } from '../../../src/admin/admin-server.ts';
import type { AdminServerOptions } from '../../../src/admin/admin-server.ts';
import type { CommandResult } from '../../../src/snapshot/messages.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { request } from '../../support/request.ts';
import type { Answer, RequestOptions } from '../../support/request.ts';
import { tempDir } from '../../support/temp-dir.ts';

const token = 'a-token-of-enough-bytes';

describe('admin writes and closed reads', () => {
  const cleanup = cleanupAfterEach();
  let commands: [name: string, args: unknown][];
  let warnings: [message: string, fields: unknown][];
  let errors: string[];
  let timers: (() => void)[];
  let result: CommandResult;
  let dir: string;
  const tokenFile = (): string => join(dir, 'token');

  beforeEach(() => {
    [commands, warnings, errors, timers] = [[], [], [], []];
    result = { done: true, value: { generation: 9 } };
    dir = tempDir(cleanup);
    writeFileSync(tokenFile(), `${token}\n`);
  });

  const create = (options: Partial<AdminServerOptions>) => {
    const server = createAdminServer({
      address: '127.0.0.1:0',
      metrics: createMetrics({ version: '1.2.3', processMetrics: false }),
      query: async (name) => ({ name }),
      command: async (name, args) => {
        commands.push([name, args]);
        return result;
      },
      ready: () => ({ ready: true }),
      log: {
        error: (message, fields) => void errors.push(`${message}: ${String(fields?.['reason'])}`),
        warn: (message, fields) => void warnings.push([message, fields]),
        info() {},
        debug() {},
      },
      clock: {
        now: () => 0,
        after: (_ms, run) => {
          timers.push(run);
          return () => undefined;
        },
        every: () => () => undefined,
      },
      ...options,
    });
    cleanup.add(() => server.close());
    return server;
  };
  const start = async (options: Partial<AdminServerOptions> = {}): Promise<string> => {
    const server = create(options);
    await server.listen();
    return `http://127.0.0.1:${server.addresses().admin.port}`;
  };
  const write = (
    admin: string,
    headers: RequestOptions['headers'] = {},
    body = '{"generation": 7}',
    name = 'rollback',
  ): Promise<Answer> =>
    request(`${admin}/api/v1/${name}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body,
    });
  const refusal = async (answer: Promise<Answer>): Promise<unknown> => {
    const { status, headers, ...rest } = await answer;
    expect(headers['content-type']).to.equal('application/problem+json');
    return [status, (JSON.parse(rest.body) as { code: string }).code];
  };

  it('pass on what the token of the file asks for', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    const good = await write(admin, {}, '{"generation": 7, "for": "30m"}');
    expect([good.status, good.json()]).to.deep.equal([200, { generation: 9 }]);
    // What a browser says of a page that is served here.
    const own = { origin: admin, 'sec-fetch-site': 'same-origin' };
    expect((await write(admin, own, '{}', 'resume')).status).to.equal(200);
    expect(commands).to.deep.equal([
      ['rollback', { generation: 7, forMs: 1_800_000 }],
      ['resume', {}],
    ]);
  });

  it('do not exist without a token file', async () => {
    const admin = await start();
    expect(await refusal(write(admin))).to.deep.equal([403, 'ERR_ADMIN_WRITES_CLOSED']);
    expect(await refusal(write(admin, {}, '{}', 'resume'))).to.deep.equal([403, 'ERR_ADMIN_WRITES_CLOSED']);
    expect(commands).to.deep.equal([]);
  });

  it('refuse a token that is missing, wrong, shorter, longer, or of another scheme', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    for (const authorization of [
      '',
      'Bearer',
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}x`,
      `Bearer ${token.toUpperCase()}`,
      `Basic ${token}`,
      token,
      'Bearer undefined',
    ]) {
      const answer = write(admin, { authorization });
      expect(await refusal(answer), authorization).to.deep.equal([401, 'ERR_ADMIN_UNAUTHORIZED']);
      expect((await answer).headers['www-authenticate']).to.match(/^Bearer/);
    }
    expect(commands).to.deep.equal([]);
  });

  it('follow the file: another token at once, nobody while it is gone or too short', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    expect((await write(admin)).status).to.equal(200);
    const other = 'another-token-that-is-longer';
    writeFileSync(tokenFile(), other);
    expect((await write(admin)).status).to.equal(401);
    expect((await write(admin, { authorization: `Bearer ${other}` })).status).to.equal(200);
    writeFileSync(tokenFile(), 'short');
    expect((await write(admin, { authorization: 'Bearer short' })).status).to.equal(401);
    rmSync(tokenFile());
    expect((await write(admin, { authorization: `Bearer ${other}` })).status).to.equal(401);
    expect(errors.length).to.be.above(0);
  });

  it('refuse pages of other sites and of other ports, and names that lead here by rebinding', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
      { origin: admin.replace('http:', 'https:') },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = write(admin, headers);
      expect(await refusal(answer), JSON.stringify(headers)).to.deep.equal([403, 'ERR_ADMIN_ORIGIN_REFUSED']);
    }
    const rebound = write(admin, { host: 'evil.example', origin: 'http://evil.example' });
    expect(await refusal(rebound)).to.deep.equal([421, 'ERR_ADMIN_HOST_REFUSED']);
    expect(commands).to.deep.equal([]);
  });

  it('take POST with JSON that says what it means, and nothing else', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    const get = await request(`${admin}/api/v1/rollback`);
    expect([get.status, get.headers.allow]).to.deep.equal([405, 'POST']);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', '']) {
      const answer = write(admin, { 'content-type': type });
      expect(await refusal(answer), type).to.deep.equal([415, 'ERR_ADMIN_MEDIA_TYPE']);
    }
    for (const body of [
      '',
      '[]',
      '{',
      'null',
      '{"generation": "7"}',
      '{"generation": 0}',
      '{"generation": 1.5}',
      '{"generation": 7, "for": 30}',
      '{"generation": 7, "for": "1ms"}',
      '{"generation": 7, "for": "800h"}',
      '{"generation": 7, "fro": "30m"}',
      `{"generation": 7, "x": "${'x'.repeat(100_000)}"}`,
    ]) {
      expect(await refusal(write(admin, {}, body)), body.slice(0, 40)).to.deep.equal([
        400,
        'ERR_ADMIN_BAD_REQUEST',
      ]);
    }
    expect(commands).to.deep.equal([]);
  });

  it('say what the gateway cannot do', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    result = { done: false, reason: 'UnknownGeneration', message: 'generation 7 is not kept' };
    expect(await refusal(write(admin))).to.deep.equal([404, 'ERR_ADMIN_GENERATION_UNKNOWN']);
    result = { done: false, reason: 'Refused', message: 'the port is in use' };
    expect(await refusal(write(admin))).to.deep.equal([409, 'ERR_ADMIN_ROLLBACK_REFUSED']);
  });

  it('log attempts that fail, at once and then together, so that guessing does not fill the log', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    for (let i = 0; i < 20; i += 1) await write(admin, { authorization: 'Bearer wrong' });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.deep.equal([
      'admin access refused',
      { reason: 'wrong token', client: '127.0.0.1', attempts: 1 },
    ]);
    timers.shift()?.();
    expect(warnings.slice(1)).to.deep.equal([
      ['admin access refused', { reason: 'wrong token', client: '127.0.0.1', attempts: 19 }],
    ]);
    timers.shift()?.();
    expect(warnings).to.have.length(2);
    expect(JSON.stringify(warnings)).not.to.include('Bearer');
  });

  it('log a token that cannot be used in the same way: nobody needs one to ask', async () => {
    const admin = await start({ tokenFile: tokenFile() });
    rmSync(tokenFile());
    for (let i = 0; i < 20; i += 1)
      expect((await write(admin, { authorization: 'Bearer x' })).status).to.equal(401);
    timers.shift()?.();
    expect(warnings).to.deep.equal([]);
    expect(errors).to.have.length(2);
    expect(errors[1]).to.match(/^the admin token cannot be used: nobody is let in: ENOENT/);
  });

  it('keep reads closed on an address that is not a loopback one, but for the token or an open word', async () => {
    const reads = ['/', '/api/v1/status', '/api/v1/explain?url=http%3A%2F%2Fa%2F'];
    const open = ['/metrics', '/healthz', '/readyz'];
    const statuses = async (admin: string, paths: readonly string[], headers = {}): Promise<number[]> => {
      const answers = await Promise.all(paths.map((path) => request(`${admin}${path}`, { headers })));
      return answers.map(({ status }) => status);
    };
    const address = '0.0.0.0:0';
    const closed = await start({ address });
    expect(await statuses(closed, reads)).to.deep.equal([403, 403, 403]);
    expect(await statuses(closed, open)).to.deep.equal([200, 200, 200]);
    const guarded = await start({ address, tokenFile: tokenFile() });
    expect(await statuses(guarded, reads)).to.deep.equal([401, 401, 401]);
    expect(await statuses(guarded, reads, { authorization: `Bearer ${token}` })).to.deep.equal([
      200, 200, 200,
    ]);
    expect(await statuses(guarded, open)).to.deep.equal([200, 200, 200]);
    const said = await start({ address, openReads: true });
    expect(await statuses(said, reads)).to.deep.equal([200, 200, 200]);
    const loopback = await start({ tokenFile: tokenFile() });
    expect(await statuses(loopback, reads)).to.deep.equal([200, 200, 200]);
  });

  it('end the start with a token file that cannot be used', async () => {
    const reasonFor = async (path: string): Promise<string> => {
      const error: unknown = await create({ tokenFile: path })
        .listen()
        .catch((reason: unknown) => reason);
      return error instanceof Error ? error.message : 'none';
    };
    expect(await reasonFor(join(dir, 'none'))).to.match(/^--admin-token-file .*none: ENOENT/);
    writeFileSync(tokenFile(), '15-bytes-only-1\n');
    expect(await reasonFor(tokenFile())).to.match(/holds fewer than 16 bytes$/);
    writeFileSync(tokenFile(), 'two words that are long enough');
    expect(await reasonFor(tokenFile())).to.match(/only visible ASCII can be$/);
    expect(await reasonFor(dir)).to.match(/is not a file$/);
    expect(await reasonFor('/dev/zero')).to.match(/is not a file$/);
  });
});
