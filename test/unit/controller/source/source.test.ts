import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { defaultCaps } from '../../../../src/controller/source/caps.ts';
import { createSource } from '../../../../src/controller/source/source.ts';
import { cleanupAfterEach } from '../../../support/cleanup.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const hourMs = 3_600_000;

describe('createSource', () => {
  const cleanup = cleanupAfterEach();

  it('takes a file that rests, also when the clock is set back while it is looked at', async () => {
    const dir = tempDir(cleanup);
    writeFileSync(join(dir, 'a.yaml'), 'a');
    let time = Date.now();
    let slept = 0;
    const source = createSource({
      paths: [dir],
      caps: defaultCaps,
      clock: {
        now: () => time,
        sleep(ms) {
          time += ms;
          // Whoever never gets to the end must not hang the test.
          if (slept++ === 0) time -= hourMs;
          return slept < 100 ? Promise.resolve() : Promise.reject(new Error('never rests'));
        },
        after: () => () => undefined,
      },
    });
    const { complete, files } = await source.read();
    expect(complete).to.equal(true);
    expect(files.map(({ content }) => content.state)).to.deep.equal(['read']);
  });
});
