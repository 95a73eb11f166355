import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { cleanupAfterEach } from '../support/cleanup.ts';
import { freePort } from '../support/free-port.ts';
import { Relay } from './http1-relay.ts';

/** Third-party smuggling and parsing cases; they stand beside the repository, not in it. */
const corpus = resolve(import.meta.dirname, '../../../shared/corpus/http1');

describe('the codec against the corpus of raw requests', function () {
  this.timeout(180_000);
  const cleanup = cleanupAfterEach();

  it('accepts nothing that must be refused, refuses nothing valid, hangs on nothing', async function () {
    if (!existsSync(resolve(corpus, 'smuggle.py'))) {
      console.warn('      SKIPPED: no corpus beside the repository (../shared/corpus/http1)');
      this.skip();
    }
    const upstreamPort = await freePort();
    const relay = new Relay(upstreamPort);
    cleanup.add(() => relay.close());
    const port = await relay.listen();
    const args = ['--target', `127.0.0.1:${port}`, '--upstream-port', String(upstreamPort), '-v'];
    const output = await run('python3', [resolve(corpus, 'smuggle.py'), ...args]);
    const last = output.trimEnd().split('\n').at(-1) ?? '';
    const score: unknown = JSON.parse(last.startsWith('{') ? last : 'null');
    expect(score, output).to.include({ a: 0, a_clean: 0, B: 0, b: 0, c: 0, d: 0, crash: 0 });
    expect((score as { readonly n: number }).n).to.be.above(800);
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
