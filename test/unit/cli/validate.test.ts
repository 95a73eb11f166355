import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ValidateOptions } from '../../../src/cli/validate.ts';
import { runValidate } from '../../../src/cli/validate.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { tempDir } from '../../support/temp-dir.ts';

const head = 'apiVersion: mgateway.dev/v1alpha1\n';
const upstream = `${head}kind: Upstream\nmetadata: { name: u }\nspec: { endpoints: [{ url: "http://127.0.0.1:1" }] }\n`;
const route = (name: string, spec: string): string =>
  `${head}kind: Route\nmetadata: { name: ${name} }\nspec:\n  upstreams: [{ name: u }]\n${spec}\n`;

describe('runValidate', () => {
  const cleanup = cleanupAfterEach();
  let dir: string;
  beforeEach(() => (dir = tempDir(cleanup)));

  async function validate(
    paths: readonly string[],
    options: Partial<ValidateOptions> = {},
    input = '',
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    let stdout = '';
    let stderr = '';
    const io = {
      env,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
    };
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(input);
    }
    const code = await runValidate(paths, { offline: false, output: 'text', ...options }, io, chunks());
    return { code, stdout: stdout.replaceAll(dir, 'DIR'), stderr: stderr.replaceAll(dir, 'DIR') };
  }

  it('shows what a file is called and what stands in it on one line, whatever that is', async () => {
    const file = 'a\n::error::all good\u001b[2K\u009b31m.yaml';
    writeFileSync(join(dir, file), route('a', '  "\u202enope": 1'));
    const shown = 'a\\u000a::error::all good\\u001b[2K\\u009b31m.yaml';
    const { stdout } = await validate([dir]);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, -1).every((line) => line.startsWith(`DIR/${shown}:`))).to.equal(true);
    expect(stdout.replaceAll('\n', '')).to.match(/^[\x20-\x7e]*$/);
    const junit = await validate([dir], { output: 'junit' });
    expect(junit.stdout).to.include('message="spec[');
  });

  it('says that all is good, and exits with 0', async () => {
    writeFileSync(join(dir, 'a.yaml'), `${upstream}---\n${route('a', '')}`);
    writeFileSync(join(dir, 'b.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] }));
    writeFileSync(join(dir, 'README.md'), 'no resource: [');
    expect(await validate([dir])).to.deep.equal({
      code: 0,
      stdout: '2 resources in 2 files: all good\n',
      stderr: '',
    });
  });

  it('prints each problem with its place, those between documents too, by file and line', async () => {
    writeFileSync(join(dir, 'b.yaml'), `${route('b', '  hostname: x')}---\n${route('d', '')}`);
    writeFileSync(
      join(dir, 'a.yaml'),
      `${route('a', '  middlewares: [{ name: nope }]')}---\n${route('c', '  priority: x')}`,
    );
    const { code, stdout } = await validate([dir]);
    expect(code).to.equal(1);
    expect(stdout.split('\n')).to.deep.equal([
      'DIR/a.yaml:5:23 spec.upstreams[0].name Upstream default/u does not exist',
      'DIR/a.yaml:6:25 spec.middlewares[0].name Middleware default/nope does not exist',
      'DIR/a.yaml:13:13 spec.priority must be a whole number, not the text "x"',
      'DIR/b.yaml:6:3 spec.hostname unknown field "hostname" (did you mean "hostnames"?)',
      'DIR/b.yaml:12:23 spec.upstreams[0].name Upstream default/u does not exist; its share of the requests is answered 503',
      'DIR/b.yaml:11:1 spec.matches[0] warning: cannot be told apart from a match of Route default/a (DIR/a.yaml:4:1), which is asked first (set spec.priority, or a condition in which they differ)',
      '5 problems, 1 warning; 2 resources in 2 files good',
      '',
    ]);
  });

  it('says which middleware and which upstream of the namespace was probably meant', async () => {
    const elsewhere = upstream.replace('name: u', 'name: users, namespace: other');
    writeFileSync(
      join(dir, 'a.yaml'),
      [
        upstream.replace('name: u', 'name: orders'),
        elsewhere,
        `${head}kind: Middleware\nmetadata: { name: signed-in }\nspec: { rateLimit: { requests: 1, per: 1s } }\n`,
        route('a', '  middlewares: [{ name: signedin }]'),
        route('b', '').replace('name: u', 'name: order'),
        route('c', '').replace('name: u', 'name: user'),
      ].join('---\n'),
    );
    const { stdout } = await validate([dir]);
    expect(stdout).to.include('Middleware default/signedin does not exist (did you mean "signed-in"?)');
    expect(stdout).to.match(/Upstream default\/order does not exist; .* \(did you mean "orders"\?\)/);
    expect(stdout).to.match(/Upstream default\/user does not exist; [^(\n]*\n/);
  });

  it('reads standard input', async () => {
    const { code, stdout } = await validate(['-'], {}, `${upstream}---\n${route('a', '  drain: 1')}`);
    expect(code).to.equal(1);
    expect(stdout).to.contain('<stdin>:11:10 spec.drain must be a duration');
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await validate(
      ['-'],
      { output: 'json' },
      `${upstream}---\n${route('a', '  nope: 1')}`,
    );
    expect(code).to.equal(1);
    const report = JSON.parse(stdout) as { problems: readonly unknown[] };
    expect(report).to.deep.include({ valid: false, files: 1, resources: 1, warnings: [] });
    expect(report.problems).to.have.length(1);
    expect(report.problems[0]).to.include({
      at: '<stdin>:11:3',
      path: 'spec.nope',
      message: 'unknown field "nope"',
    });
  });

  it('asks for secrets unless it is offline', async () => {
    const jwt = 'issuers: [{ issuer: i, secret: { env: VALIDATE_SECRET }, algorithms: [HS256] }]';
    const text = `${upstream}---\n${route('a', `  middlewares: [{ jwt: { ${jwt} } }]`)}`;
    expect((await validate(['-'], {}, text)).stdout).to.contain('VALIDATE_SECRET is not set');
    expect((await validate(['-'], { offline: true }, text)).code).to.equal(0);
    const secret = { VALIDATE_SECRET: 'x'.repeat(64) };
    expect((await validate(['-'], {}, text, secret)).code).to.equal(0);
  });

  it('exits with 2 for a path that is not there, with 1 where there is nothing to validate', async () => {
    expect(await validate([join(dir, 'nope')])).to.deep.equal({
      code: 2,
      stdout: '',
      stderr: 'DIR/nope: no such file or directory\n',
    });
    mkdirSync(join(dir, 'empty'));
    const { code, stdout } = await validate([join(dir, 'empty')]);
    expect(code).to.equal(1);
    expect(stdout).to.contain('DIR/empty no resources found');
    expect(stdout).to.contain('DIR/empty warning: holds no file that ends in .yaml, .yml or .json');
  });
});
