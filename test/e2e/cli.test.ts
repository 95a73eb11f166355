import { expect } from 'chai';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { projectRoot, runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

describe('mgateway', () => {
  const cleanup = cleanupAfterEach();
  const run = (...args: string[]) => runProgram(cleanup, args);

  it('prints its help and every command in it, and its version, with exit code 0', async () => {
    const help = await run('--help');
    expect(help.code).to.equal(0);
    for (const command of ['serve', 'validate', 'version']) expect(help.stdout).to.include(`  ${command} `);
    const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect((await run('version')).stdout).to.match(new RegExp(`^mgateway ${version} `));
    const json = await run('version', '--output', 'json');
    expect(JSON.parse(json.stdout)).to.include({ version, node: process.versions.node });
  });

  it('answers what it does not understand with a suggestion, on standard error, and exit code 2', async () => {
    const faults: [string[], RegExp][] = [
      [['srve'], /unknown command 'srve'[^]*Did you mean serve/],
      [['serve', '--confg', '.'], /unknown option '--confg'[^]*Did you mean --config/],
      [['serve'], /give --config PATH/],
      [['serve', 'routes'], /takes paths as an option: --config routes/],
      [['serve', '--config', '.', '--drain-timeout', 'soon'], /'soon' is invalid. Give a duration/],
      [['serve', '--config', '.', '--admin', '9901'], /Give HOST:PORT/],
      [['serve', '--config', '.', '--log-level', 'loud'], /Allowed choices are error, warn, info, debug/],
      [['serve', '--config', '.', '--workers', '0'], /from 1 to 128, or auto/],
      [[], /Usage: mgateway/],
    ];
    const results = await Promise.all(faults.map(([args]) => run(...args)));
    for (const [i, result] of results.entries()) {
      expect(result.code, result.stderr).to.equal(2);
      expect(result.stdout).to.equal('');
      expect(result.stderr).to.match(faults[i]?.[1] as RegExp);
    }
  });

  it('does not take a number for the address of a gateway', async () => {
    for (const address of ['9901', 'localhost']) {
      const result = await run('status', '--admin', address);
      expect([result.code, result.stdout]).to.deep.equal([1, '']);
      expect(result.stderr).to.include(`--admin ${address}: not an address; write HOST:PORT`);
    }
  });

  it('says where another program listens in the place of a gateway', async () => {
    const { url } = await startUpstream(cleanup, (_request, response) => void response.end('<html>hello'));
    for (const command of [['status'], ['shadow'], ['rollback', '1'], ['resume'], ['explain', 'http://a/']]) {
      const { code, stderr } = await runProgram(cleanup, [...command, '--admin', url]);
      expect([code, stderr.replace(/^explain: /, '')], command[0]).to.deep.equal([
        1,
        `${url}: does not answer as a gateway does; does another program listen there?\n`,
      ]);
    }
  });

  it('takes an empty variable for none, and an empty path for a mistake', async () => {
    const cwd = tempDir(cleanup);
    writeFileSync(join(cwd, 'a.yaml'), 'kind: [');
    const env = Object.fromEntries(
      [
        'ADMIN',
        'ADMIN_TOKEN_FILE',
        'WORKERS',
        'STATE_DIR',
        'MODULES_DIR',
        'PROBES',
        'SHADOW',
        'LOG_LEVEL',
      ].map((name) => [`MGATEWAY_${name}`, '']),
    );
    const served = await runProgram(cleanup, ['serve', '--strict', '--config', 'a.yaml'], { cwd, env });
    // It got as far as reading, and wrote nothing where it stands.
    expect([served.code, readdirSync(cwd)]).to.deep.equal([1, ['a.yaml']]);
    expect(served.stderr).to.include('strict: a configuration with problems is refused as a whole');
    for (const option of ['--state-dir', '--modules-dir', '--admin-token-file']) {
      const { code, stderr } = await runProgram(cleanup, ['serve', '--config', 'a.yaml', option, ''], {
        cwd,
      });
      expect([code, stderr.includes('Give a path.')], option).to.deep.equal([2, true]);
    }
    const { stderr } = await runProgram(cleanup, ['status'], { env });
    expect(stderr).not.to.include('--token-file');
  });

  it('does not take a switch for on because its variable is there', async () => {
    const result = await runProgram(cleanup, ['serve', '--config', '.'], {
      env: { MGATEWAY_STRICT: 'maybe' },
    });
    expect(result.code).to.equal(2);
    expect(result.stderr).to.include('MGATEWAY_STRICT=maybe is invalid');
  });

  it('says which path is not there, with exit code 1', async () => {
    const dir = tempDir(cleanup);
    mkdirSync(join(dir, 'there'));
    const missing = join(dir, 'missing');
    const served = await run('serve', '--config', join(dir, 'there'), missing);
    expect(served.code).to.equal(1);
    expect(served.stderr).to.equal(`mgateway: --config ${missing}: there is no such file or directory\n`);
    const modules = await run('serve', '--config', dir, '--modules-dir', missing);
    expect(modules.code).to.equal(1);
    expect(modules.stderr).to.include(`--modules-dir ${missing}: there is no such`);
  });

  it('validates with exit code 0 or 1 and a place for each problem', async () => {
    expect(
      (await run('validate', '--offline', join(projectRoot, 'examples', 'quickstart', 'config'))).code,
    ).to.equal(0);
    const dir = tempDir(cleanup);
    writeFileSync(
      join(dir, 'bad.yaml'),
      'apiVersion: mgateway.dev/v1alpha1\nkind: Route\nmetadata: { name: a }\nspec: { matchs: [] }\n',
    );
    const bad = await run('validate', dir);
    expect(bad.code).to.equal(1);
    expect(bad.stdout).to.match(/bad\.yaml:4:\d+ .*matchs/);
  });
});
