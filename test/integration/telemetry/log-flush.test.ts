import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanupAfterEach } from '../../support/cleanup.ts';

describe('logs at exit', () => {
  const cleanup = cleanupAfterEach();

  /** Reads in small bites with pauses, so that the writer has to wait. */
  async function readSlowly(stream: Readable): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      await wait(1);
    }
    return Buffer.concat(chunks).toString();
  }

  it('arrive whole and in order at readers that are slower than the process ends', async () => {
    const lines = 10_000;
    const fixture = fileURLToPath(new URL('./fixtures/log-and-exit.ts', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, fixture, String(lines)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    cleanup.add(() => child.kill());
    const closed = once(child, 'close');
    const [out, err] = await Promise.all([readSlowly(child.stdout), readSlowly(child.stderr)]);
    const [code] = (await closed) as [number];
    expect(code).to.equal(0);
    expect(out.split('\n')).to.have.length(2 * lines + 1);
    const numbers = err
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly i: number }).i);
    expect(numbers).to.deep.equal(Array.from({ length: lines }, (_, i) => i));
  });
});
