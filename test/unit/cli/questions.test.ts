import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { parseAllDocuments } from 'yaml';
import { runProgram } from '../../../src/cli/program.ts';
import type { Explanation } from '../../../src/controller/explain/explanation.ts';
import { cleanupAfterEach } from '../../support/cleanup.ts';
import { projectRoot } from '../../support/program.ts';
import { tempDir } from '../../support/temp-dir.ts';

const example = join(projectRoot, 'examples', 'route-tests', 'config');

/** Runs a command of the program inside this process. */
async function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(args, {
    env: {},
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    interactive: false,
    onSignal: () => undefined,
    onParentGone: () => undefined,
  });
  const short = (text: string): string => text.replaceAll(`${example}/`, '');
  return { code, stdout: short(stdout), stderr: short(stderr) };
}

describe('mgateway test', () => {
  const cleanup = cleanupAfterEach();
  const broken = (): string => {
    const dir = tempDir(cleanup);
    for (const name of readdirSync(example)) {
      const text = readFileSync(join(example, name), 'utf8');
      writeFileSync(
        join(dir, name),
        text.replace('    - name: signed-in\n', '').replace('middlewares: [{ name: signed-in }]\n', '\n'),
      );
    }
    return dir;
  };

  it('runs the assertions of examples/route-tests, which hold', async () => {
    const { code, stdout } = await run('test', example);
    expect(stdout.split('\n')).to.deep.equal([
      'ok     RouteTest default/users-need-a-token  assertions.yaml:3:1',
      'ok     RouteTest default/users-reach-both-versions  assertions.yaml:10:1',
      'ok     Guard default/admin-is-protected  assertions.yaml:24:1',
      'ok     Guard default/nothing-waits-forever  assertions.yaml:31:1',
      '4 passed, 0 failed',
      '',
    ]);
    expect(code).to.equal(0);
  });

  it('exits with 1 and names the place of what does not hold, in JSON and JUnit too', async () => {
    const dir = broken();
    const text = await run('test', dir);
    expect(text.code).to.equal(1);
    expect(text.stdout).to.include(
      `${dir}/assertions.yaml:8:35 spec.expect.status RouteTest default/users-need-a-token: expected status 401, but route default/users forwards it to`,
    );
    expect(text.stdout).to.match(
      /FAILED Guard default\/admin-is-protected[^]*routes\.yaml:\d+:\d+ spec\.middlewares has no jwt middleware/,
    );
    expect(text.stdout).to.match(/^1 passed, 3 failed$/m);
    const json = JSON.parse((await run('test', '--output', 'json', dir)).stdout) as {
      failed: number;
      assertions: { name: string; failures: unknown[] }[];
    };
    expect([json.failed, json.assertions.map(({ failures }) => failures.length)]).to.deep.equal([
      3,
      [2, 1, 1, 0],
    ]);
    const junit = (await run('test', '--output', 'junit', dir)).stdout;
    expect(junit).to.match(
      /^<\?xml[^]*<testsuite name="mgateway test" tests="4" failures="3"[^]*<\/testsuites>\n$/,
    );
    expect(
      junit.match(/<failure message="RouteTest default\/users-need-a-token: expected status 401/g),
    ).to.have.length(1);
  });

  it('counts a configuration without assertions, or with other problems, as not tested', async () => {
    const dir = tempDir(cleanup);
    expect((await run('test', dir)).code).to.equal(1);
    expect((await run('test', join(dir, 'nope'))).code).to.equal(2);
    writeFileSync(join(dir, 'a.yaml'), 'kind: Rout\n');
    const mixed = await run('test', example, dir);
    expect([mixed.code, /^problem .*a\.yaml:1:7 .*Rout/m.test(mixed.stdout)]).to.deep.equal([1, true]);
  });
});

describe('mgateway explain', () => {
  const explain = async (...args: readonly string[]): Promise<Explanation> => {
    const { code, stdout, stderr } = await run('explain', '--output', 'json', '--config', example, ...args);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as Explanation;
  };

  it('tells the route, what each middleware does, and where requests would go, with the place of each', async () => {
    const { code, stdout } = await run(
      'explain',
      '--config',
      example,
      'GET https://api.example.com/users/7',
      '--claims',
      '{"sub":"42"}',
    );
    expect(code).to.equal(0);
    for (const line of [
      'route default/users  routes.yaml:7:13',
      '  1. default/signed-in (jwt)  routes.yaml:25:1 (used at routes.yaml:9:7)',
      '       rewrites /users/7 to /7',
      'forward GET /7',
      '  + x-user-id: 42',
      '     90% default/users-v1  routes.yaml:36:1 (used at routes.yaml:12:15)',
      '            60% http://10.0.0.1:8080  routes.yaml:40:15',
      '            30% http://10.0.0.2:8080  routes.yaml:40:59',
    ])
      expect(stdout.split('\n'), stdout).to.include(line);
  });

  it('prints what the README shows', async () => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    const shown = /```text\n(GET https:[^]*?)```/.exec(readme)?.[1];
    const { stdout } = await run(
      'explain',
      '--config',
      example,
      'GET https://api.example.com/users/7',
      '--claims',
      '{"sub": "42"}',
    );
    expect(shown?.replaceAll('examples/route-tests/config/', '')).to.equal(stdout);
  });

  it('tells the first condition that every near loser fails', async () => {
    const { nearLosers, reply, summary } = await explain('POST https://api.example.com/users/7');
    expect(nearLosers).to.deep.equal([
      {
        route: 'default/users',
        hostname: 'api.example.com',
        match: 'GET prefix /users',
        failed: 'method is not GET',
        at: 'routes.yaml:7:13',
      },
    ]);
    expect(reply).to.deep.include({ status: 405, headers: [{ name: 'allow', value: 'GET' }] });
    expect(summary).to.equal('no route takes it: 405 ERR_METHOD_NOT_ALLOWED');
    const elsewhere = await explain('GET', 'https://other.example.com/users/7');
    expect(elsewhere.nearLosers[0]?.failed).to.equal('host is not api.example.com');
  });

  it('reads a pasted curl command, and shows no secret and no token of it', async () => {
    const token = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiI3In0', 'c2lnbmF0dXJl'].join('.');
    const command = `curl -sS 'https://api.example.com/users/7?access_token=${token}&a=b' -H 'Authorization: Bearer ${token}' -H "Cookie: session=s3cr3t" -H 'x-api-key: k3y-k3y'`;
    for (const output of ['text', 'json']) {
      const { stdout } = await run(
        'explain',
        '--output',
        output,
        '--config',
        example,
        command,
        '-H',
        'x-internal: 1',
      );
      expect(stdout).to.include('a=b');
      expect(stdout).not.to.match(/eyJ|c2ln|s3cr3t|k3y-k3y/);
    }
    for (const words of [
      [`https://api.example.com/users/${token}`],
      ['curl', `https://a/?t=${token}`, 'https://b'],
      ['https://a', '-H', `Authorization Bearer ${token}`],
    ]) {
      const { stdout, stderr } = await run('explain', '--config', example, ...words);
      expect(stdout + stderr)
        .to.match(/./)
        .and.not.to.match(/eyJ|c2ln/);
    }
  });

  it('exits with 2 for what it does not understand', async () => {
    for (const [args, message] of [
      [['GET', '/users'], /absolute/],
      [['https://a', '-H', 'x'], /name: value/],
      [['https://a', '--claims', '7'], /JSON object/],
      [['curl', '$URL'], /expanded by the shell/],
      [['a b c d'], /give "GET/],
    ] as const) {
      const { code, stderr } = await run('explain', '--config', example, ...args);
      expect([code, message.test(stderr)], stderr).to.deep.equal([2, true]);
    }
    expect((await run('explain', 'https://a')).stderr).to.include('give --config PATH or --admin');
    expect((await run('explain', '--config', '/nope', 'https://a')).code).to.equal(2);
  });
});

describe('mgateway schema', () => {
  it('accepts every example and refuses mistakes, by the file in the package that editors are pointed at', async () => {
    const published = JSON.parse(
      readFileSync(join(projectRoot, 'dist', 'schemas', 'mgateway.json'), 'utf8'),
    ) as object;
    expect(JSON.parse((await run('schema')).stdout)).to.deep.equal(published);
    // As an editor has it: the plain dialect, none of our words.
    const validate = new Ajv({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allErrors: true,
    }).compile(published);
    const configs = ['quickstart', 'route-tests', 'custom-middleware'].map((name) =>
      join(projectRoot, 'examples', name, 'config'),
    );
    let documents = 0;
    for (const folder of configs) {
      for (const file of readdirSync(folder)) {
        for (const document of parseAllDocuments(readFileSync(join(folder, file), 'utf8'))) {
          documents++;
          expect(validate(document.toJS()), `${file}: ${JSON.stringify(validate.errors)}`).to.equal(true);
        }
      }
    }
    expect(documents).to.be.greaterThan(15);
    const route = (spec: object): object => ({
      apiVersion: 'mgateway.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'a' },
      spec: { upstreams: [{ name: 'u' }], ...spec },
    });
    expect(validate(route({}))).to.equal(true);
    for (const wrong of [
      { hostname: 'a' },
      { middlewares: [{ rateLimt: {} }] },
      { middlewares: [{ rewrite: { strip: 1 } }] },
      { upstreams: [{ name: 'u', url: 'http://a' }] },
      { drain: 3 },
    ])
      expect(validate(route(wrong)), JSON.stringify(wrong)).to.equal(false);
    // What stands for a list of one may be written without the list.
    const limit = { requests: 1, per: '1s', key: { header: 'x' } };
    expect(
      validate(route({ middlewares: [{ rateLimit: limit }] })),
      JSON.stringify(validate.errors),
    ).to.equal(true);
  });

  it('prints one kind with descriptions, whatever its capitals, and suggests one for a kind that is not there', async () => {
    const { stdout, code } = await run('schema', 'route');
    const schema = JSON.parse(stdout) as {
      title: string;
      properties: { spec: { properties: { priority: { description: string } } } };
    };
    expect([code, schema.title]).to.deep.equal([0, 'Route']);
    expect(schema.properties.spec.properties.priority.description).to.include('Higher wins');
    expect(stdout).not.to.match(/x-mgateway|x-kubernetes/);
    const unknown = await run('schema', 'Rout');
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      2,
      'schema: there is no kind called Rout. Did you mean Route?\n',
    ]);
  });
});

describe('mgateway validate', () => {
  const cleanup = cleanupAfterEach();
  const head = 'apiVersion: mgateway.dev/v1alpha1\n';
  let dir: string;
  beforeEach(() => {
    dir = tempDir(cleanup);
    writeFileSync(
      join(dir, 'bad one.yaml'),
      `${head}kind: Route\nmetadata: { name: a }\nspec: { upstreams: [{ url: "http://a:1" }], drain: "<&\\"" }\n`,
    );
    writeFileSync(
      join(dir, 'good.yaml'),
      ['a1', 'a2']
        .map(
          (name) =>
            `${head}kind: Route\nmetadata: { name: ${name} }\nspec: { upstreams: [{ url: "http://a:1" }] }\n`,
        )
        .join('---\n'),
    );
  });

  it('prints SARIF with all that the standard requires', async () => {
    const { code, stdout } = await run('validate', '--output', 'sarif', dir);
    expect(code).to.equal(1);
    const log = JSON.parse(stdout) as {
      version: string;
      runs: { tool: { driver: { name: string; rules: { id: string }[] } }; results: SarifResult[] }[];
    };
    interface SarifResult {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: {
        physicalLocation: {
          artifactLocation: { uri: string };
          region: { startLine: number; startColumn: number };
        };
      }[];
    }
    // SARIF 2.1.0: §3.13 (version, runs), §3.14.6 (tool), §3.19.8 (driver.name), §3.27.11 (message).
    expect(log.version).to.equal('2.1.0');
    expect(log.runs).to.have.length(1);
    const [{ tool, results }] = log.runs as [(typeof log.runs)[number]];
    expect(tool.driver.name).to.equal('mgateway');
    expect(results.map(({ level }) => level)).to.deep.equal(['error', 'warning']);
    for (const { ruleId, ruleIndex, message, locations } of results) {
      expect(tool.driver.rules[ruleIndex]?.id).to.equal(ruleId);
      expect(message.text).to.match(/\w/);
      const { artifactLocation, region } = locations[0]?.physicalLocation ?? expect.fail('no place');
      expect(artifactLocation.uri).to.match(/^file:\/\/\/.*(bad%20one|good)\.yaml$/);
      expect(
        [region.startLine, region.startColumn].every((each) => Number.isInteger(each) && each > 0),
      ).to.equal(true);
    }
  });

  it('prints JUnit: a testcase for each file, its problems as its failure', async () => {
    const { code, stdout } = await run('validate', '--output', 'junit', dir);
    expect(code).to.equal(1);
    expect(stdout).to.include('tests="2" failures="1"');
    expect(stdout).to.match(
      /<testcase classname="file" name="[^"]*bad one\.yaml" file="[^"]*" line="4">\s*<failure message="spec\.drain must be a duration[^"]*&lt;&amp;/,
    );
    expect(stdout).to.match(/good\.yaml">\s*<system-out>[^<]*cannot be told apart/);
    expect(stdout.match(/[<>]/g)?.length).to.equal((stdout.match(/<\/?[?a-z][^<>]*>/g)?.length ?? 0) * 2);
  });
});
