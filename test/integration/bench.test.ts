import { expect } from 'chai';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { projectRoot, runProgram } from '../support/program.ts';

/** Proves that the bench runs, on whatever is installed; what it measures is not looked at. */
describe('npm run bench', () => {
  const cleanup = cleanupAfterEach();
  const bench = (args: readonly string[], out: string): ReturnType<typeof runProgram> =>
    runProgram(cleanup, [...args, '--out', out], {
      script: join(projectRoot, 'bench', 'main.ts'),
      nodeArgs: ['--import=ts-blank-space/register'],
    });
  const newFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'mgateway-bench-test-'));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  const isInstalled = (name: string): boolean =>
    [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'].some((folder) =>
      existsSync(join(folder, name)),
    );
  const quick = ['--seconds', '1', '--rounds', '1', '--connections', '8'];

  it('measures the gateway in full and writes a table, JSON and a chart', async function () {
    this.timeout(60_000);
    if (!isInstalled('wrk'))
      process.stdout.write('      (wrk is not installed: the own generator is used)\n');
    const out = newFolder();
    const { code, stdout, stderr } = await bench([...quick, '--scenario', 'full', '--only', 'mgateway'], out);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^\| mgateway +\| +[\d.]+ \|/m);
    const report = JSON.parse(readFileSync(join(out, 'full.json'), 'utf8')) as {
      readonly rows: readonly { readonly name: string; readonly figures: Readonly<Record<string, number>> }[];
    };
    const figures = report.rows.find(({ name }) => name === 'mgateway')?.figures;
    expect(figures?.['rps']).to.be.greaterThan(0);
    expect(figures?.['p99']).to.be.greaterThan(0);
    expect(figures?.['failures']).to.equal(0);
    expect(readFileSync(join(out, 'full.svg'), 'utf8')).to.contain('mgateway');
  });

  it('drives an open loop with its own generator', async function () {
    this.timeout(60_000);
    const out = newFolder();
    const { code, stdout, stderr } = await bench([...quick, '--scenario', 'tail', '--only', 'mgateway'], out);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^\| mgateway +\| +[\d.]+ \|.*\| +0 \|$/m);
  });

  it('compares with nginx where it is installed', async function () {
    this.timeout(60_000);
    if (!isInstalled('nginx')) {
      process.stdout.write('      (nginx is not installed: nothing to compare with)\n');
      this.skip();
    }
    const out = newFolder();
    const { code, stdout, stderr } = await bench(
      [...quick, '--scenario', 'plain', '--only', 'nginx,mgateway'],
      out,
    );
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^\| nginx +\|.* 1\.00 \|/m);
    expect(stdout).to.contain('CPU per request against nginx');
  });

  it('lists its scenarios where asked for one that does not exist', async () => {
    const { code, stderr } = await bench(['--scenario', 'nothing'], newFolder());
    expect(code).to.equal(2);
    expect(stderr).to.contain('reload');
  });
});
