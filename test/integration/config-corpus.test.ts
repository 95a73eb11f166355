import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { gatewayDocument, startGateway } from '../support/gateway.ts';
import { freePort } from '../support/free-port.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startUpstream } from '../support/upstream.ts';

/** Third-party cases of bad and unusual configuration; they stand beside the repository, not in it. */
const corpus = resolve(import.meta.dirname, '../../../shared/corpus/config');
const takesAll = process.env['MGATEWAY_TEST_CORPUS'] === 'all';
/** Each takes a second or two: a sample of them, all with MGATEWAY_TEST_CORPUS=all (seven minutes). */
const every = takesAll ? 1 : 9;
/** Never left out: what takes the memory or the time of whoever reads it to its end. */
const endless = /"fileop": ?"(?:fifo|devzero|devrandom|procmem)"|"size": ?[1-9]\d{7}/;

describe('a running gateway against the corpus of configurations', function () {
  this.timeout(takesAll ? 1_200_000 : 180_000);
  const cleanup = cleanupAfterEach();

  it('goes on serving whatever a file holds or is, and takes up what is valid', async function () {
    if (!existsSync(join(corpus, 'confcheck.py'))) {
      console.warn('      SKIPPED: no corpus beside the repository (../shared/corpus/config)');
      this.skip();
    }
    const upstream = await startUpstream(cleanup, 'here');
    const work = tempDir(cleanup);
    const [watched, fixed] = [join(work, 'watched'), join(work, 'fixed')];
    mkdirSync(watched);
    mkdirSync(fixed);
    const port = await freePort();
    writeFileSync(join(fixed, 'gateway.yaml'), gatewayDocument(port));
    const base = `apiVersion: mgateway.dev/v1alpha1
kind: Route
metadata:
  name: probe
spec:
  matches:
    - path:
        prefix: /probe-__MARK__
  upstreams:
    - url: ${upstream.url}
`;
    writeFileSync(join(work, 'base.yaml'), base);
    writeFileSync(join(watched, 'routes.yaml'), base.replace('__MARK__', 'start'));
    const cases = readFileSync(join(corpus, 'cases.dev.jsonl'), 'utf8').trimEnd().split('\n');
    const sample = cases.filter((line, index) => index % every === 0 || endless.test(line));
    writeFileSync(join(work, 'cases.jsonl'), `${sample.join('\n')}\n`);

    const gateway = await startGateway(cleanup, { dir: watched, port, args: ['--config', fixed] });
    writeFileSync(join(work, 'pid'), String(gateway.process.pid));
    const output = await run('python3', [
      join(corpus, 'confcheck.py'),
      ...['--config', join(watched, 'routes.yaml'), '--base', join(work, 'base.yaml')],
      ...['--probe', `http://127.0.0.1:${port}/probe-{MARK}`, '--pidfile', join(work, 'pid')],
      ...['--cases', join(work, 'cases.jsonl'), '--mutate-lines', '1', '-v'],
      ...(takesAll ? [] : ['--window', '0.8']),
    ]);
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    const score: unknown = JSON.parse(last.startsWith('{') ? last : 'null');
    expect(score, output).to.include({ X: 0, G: 0, B: 0, N: 0, S: 0, M: 0, T: 0 });
    expect((score as { readonly n: number }).n).to.be.at.least(sample.length);
  });
});

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise<void>((done, reject) => {
    child.once('close', () => done());
    child.once('error', reject);
  });
  return output;
}
