import { expect } from 'chai';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileWhole } from '../../../../src/controller/state/write-file.ts';
import { cleanupAfterEach } from '../../../support/cleanup.ts';
import { tempDir } from '../../../support/temp-dir.ts';

describe('writeFileWhole', () => {
  const cleanup = cleanupAfterEach();

  it('makes what is missing of the way there, for the owner alone, and replaces what is there', async () => {
    const dir = join(tempDir(cleanup), 'a', 'b');
    for (const text of ['one', 'two']) await writeFileWhole(dir, 'file', text);
    expect(readFileSync(join(dir, 'file'), 'utf8')).to.equal('two');
    expect(statSync(dir).mode & 0o777).to.equal(0o700);
  });

  it('fails where no directory can be, instead of trying for ever', async function () {
    const root = tempDir(cleanup);
    mkdirSync(join(root, 'there'));
    writeFileSync(join(root, 'there', 'file'), '');
    const impossible = [
      join(root, 'there', 'file', 'below'),
      ...(existsSync('/proc/self') ? ['/proc/mgateway'] : []),
    ];
    for (const directory of impossible) {
      const error: unknown = await writeFileWhole(directory, 'x', '').catch((reason: unknown) => reason);
      expect((error as NodeJS.ErrnoException).code, directory).to.be.oneOf([
        'ENOTDIR',
        'ENOENT',
        'EACCES',
        'EROFS',
      ]);
    }
  });
});
