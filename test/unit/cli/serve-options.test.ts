import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { serveOptions } from '../../../src/cli/serve-options.ts';
import { projectRoot } from '../../support/program.ts';

describe('serveOptions', () => {
  it('is what docs/operations.md tells: option, variable, default and meaning', () => {
    const text = readFileSync(join(projectRoot, 'docs', 'operations.md'), 'utf8');
    const rows = text
      .split('\n')
      .filter((line) => line.startsWith('| `--'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const expected = serveOptions().map(({ flags, envVar, description, ...option }) => {
      const [, switchVariable] = /\(env: (\w+)\)$/.exec(description) ?? [];
      const fallback: unknown = option.defaultValueDescription ?? option.defaultValue ?? '';
      return [
        `\`${flags}\``,
        `\`${envVar ?? switchVariable}\``,
        fallback === '' ? '' : `\`${String(fallback)}\``,
        description.replace(/ \(env: \w+\)$/, ''),
      ];
    });
    expect(rows).to.deep.equal(expected);
  });

  it('takes no time that a timer could not hold', () => {
    for (const name of ['shutdown-delay', 'drain-timeout']) {
      const parse = serveOptions().find((option) => option.name() === name)?.parseArg;
      expect(parse?.('168h', undefined)).to.equal(168 * 3_600_000);
      expect(() => parse?.('168h1ms', undefined)).to.throw('Give a duration of at most 168h.');
    }
  });
});
