import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { whyTooOld } from '../../../src/cli/node-version.ts';

describe('whyTooOld', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  const least = engines.node.replace('>=', '');

  it('lets the least version that package.json allows run the program, and all after it', () => {
    for (const version of [least, `${least}.0`, '20.19.1', '20.20.0', '22.0.0', '100.0.0'])
      expect(whyTooOld(version), version).to.equal(undefined);
  });

  it('names what runs and what is needed where it is older', () => {
    for (const version of ['16.20.2', '18.20.8', '20.9.0', '20.18.3'])
      expect(whyTooOld(version)).to.include(`needs Node ${least} or newer, this is ${version} (`);
  });
});
